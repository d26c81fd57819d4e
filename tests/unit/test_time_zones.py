"""A time zone is one of IANA's, and the error for a wrong name offers the right name."""

import pytest

from tasks.licences.time_zones import TimeZoneError, parse_time_zone


@pytest.mark.parametrize(
    ("given", "zone"),
    [
        ("Europe/Amsterdam", "Europe/Amsterdam"),
        ("europe/amsterdam", "Europe/Amsterdam"),
        (" America/New York ", "America/New_York"),
        ("America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("utc", "UTC"),
    ],
)
def test_zone_is_stored_as_iana_writes_it(given: str, zone: str) -> None:
    """Capitals and blanks in a zone's name do not matter."""
    assert parse_time_zone(given) == zone


@pytest.mark.parametrize(
    ("given", "nearest"),
    [
        ("Amsterdam", "Europe/Amsterdam"),
        ("Europe/Amsterdm", "Europe/Amsterdam"),
        ("berlin", "Europe/Berlin"),
        ("Europe/Brussel", "Europe/Brussels"),
        ("New York", "America/New_York"),
    ],
)
def test_wrong_name_is_answered_with_the_nearest(given: str, nearest: str) -> None:
    """The first suggestion for a wrong name is the intended zone."""
    with pytest.raises(TimeZoneError) as caught:
        parse_time_zone(given)

    assert str(caught.value).partition("are: ")[2].split(", ")[0] == nearest


@pytest.mark.parametrize("given", ["", "+01:00", "../etc/passwd", "x" * 500])
def test_name_like_none_is_answered_with_examples(given: str) -> None:
    """A name without a similar zone gets examples, in one short sentence."""
    with pytest.raises(TimeZoneError) as caught:
        parse_time_zone(given)

    assert str(caught.value).endswith("names are such as Europe/Amsterdam, Europe/Berlin, UTC")
    assert len(str(caught.value)) < 200


def test_zone_whose_sign_means_the_opposite_is_not_offered() -> None:
    """Zones such as Etc/GMT+1, which is one hour behind, are not suggested."""
    with pytest.raises(TimeZoneError) as caught:
        parse_time_zone("GMT+1")

    assert str(caught.value).partition("; ")[2] == "the nearest are: Etc/GMT, GMT"


@pytest.mark.parametrize("given", ["localtime", "Factory", "posixrules"])
def test_name_that_is_no_place_is_refused(given: str) -> None:
    """A name that is no place, such as a machine's setting, is refused."""
    with pytest.raises(TimeZoneError):
        parse_time_zone(given)
