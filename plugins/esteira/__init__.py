"""Esteira: the conveyor belt that takes a raw CSV to a live, versioned prediction API."""
