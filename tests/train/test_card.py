"""The model card is one page for people, says how good the model is in words, and needs nothing else."""

import re
from html.parser import HTMLParser

import pytest

from esteira.train import words


class Page(HTMLParser):
    """The tags, their attributes and the text of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.text = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes

    def handle_data(self, data):
        self.text += data


@pytest.fixture(params=["flat_story", "storm_story"])
def story(request):
    return request.getfixturevalue(request.param)


def test_it_needs_nothing_from_anywhere(story):
    page = Page(story.card)
    assert not {"script", "link", "iframe", "img"} & set(page.tags)
    asked = [value for name, value in page.attributes if name in {"src", "href", "xlink:href"}]
    assert all(value.startswith(("#", "data:")) for value in asked)
    assert not re.search(r"url\((?!#)|@import", story.card)


def test_names_of_the_case_cannot_break_it(flat_story):
    assert "Flats <&>" not in flat_story.card
    assert "Flats <&>" in Page(flat_story.card).text


def test_of_a_regression_it_says_how_far_off_predictions_are(flat_story):
    text, facts = Page(flat_story.card).text, flat_story.published.metadata
    half = words.number(facts.scores["medae"])
    assert f"Half of the predictions are within {half} R$ of the true price" in text
    assert "Each answer carries a range that should hold the true value 90 times in 100" in text
    assert f"{facts.dataset.holdout_rows:,} rows that the model had never met" in text


def test_of_a_classification_it_says_how_many_are_found_and_how_many_are_right(storm_story):
    text, facts = Page(storm_story.card).text, storm_story.published.metadata
    yes = facts.per_class["yes"]
    assert f"Of 100 rows whose storm is “yes”, it finds {words.of_100(yes.recall)}." in text
    assert f"Of 100 rows that it calls “yes”, {words.of_100(yes.precision)} are." in text
    right = words.of_100(facts.scores["accuracy"])
    assert f"Of 100 answers, {right} are right; always answering “no” would get" in text
    assert "the newest ones" in text


def test_it_shows_every_candidate_the_limits_and_where_it_comes_from(story):
    text, facts = Page(story.card).text, story.published.metadata
    assert all(one.name in text for one in facts.candidates)
    assert f"{facts.chosen} ✓" in text
    assert all(name in text for name in facts.columns)
    assert facts.dataset.sha256 in text
    assert facts.mlflow_run_id in text
    assert story.card.count("<svg") >= 3


def test_dates_seen_in_training_are_dates(storm_story):
    assert re.search(r"2020-01-01\S* to 2021-\d\d-\d\d|2020-01-01\S* to 2022-\d\d-\d\d", storm_story.card)


@pytest.mark.parametrize(
    ("share", "said"),
    [(1, "all"), (0, "none"), (0.997, "more than 99"), (0.001, "fewer than 1"), (0.625, "62"), (0.99, "99")],
)
def test_so_many_of_a_hundred_is_never_rounded_to_all_or_none(share, said):
    assert words.of_100(share) == said


@pytest.mark.parametrize(
    ("value", "said"), [(1234.5, "1,234"), (12.345, "12.3"), (3.0, "3"), (0.001234, "0.00123")]
)
def test_a_number_is_written_as_people_do(value, said):
    assert words.number(value) == said
