"""From a cleaned dataset to a published version: split, fit, judge, gate, publish, track."""
