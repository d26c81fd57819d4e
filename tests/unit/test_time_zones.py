"""A time zone is one of IANA's, and a wrong name is answered with the right one."""

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
    """Capitals and blanks are forgiven; a place of three parts is one like others."""
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
    """The first one offered is what was meant."""
    with pytest.raises(TimeZoneError) as caught:
        parse_time_zone(given)

    assert str(caught.value).partition("are: ")[2].split(", ")[0] == nearest


@pytest.mark.parametrize("given", ["", "+01:00", "../etc/passwd", "x" * 500])
def test_name_like_none_is_answered_with_examples(given: str) -> None:
    """In one sentence of bounded length."""
    with pytest.raises(TimeZoneError) as caught:
        parse_time_zone(given)

    assert str(caught.value).endswith("names are such as Europe/Amsterdam, Europe/Berlin, UTC")
    assert len(str(caught.value)) < 200


def test_zone_whose_sign_means_the_opposite_is_not_offered() -> None:
    """Etc/GMT+1 is an hour behind."""
    with pytest.raises(TimeZoneError) as caught:
        parse_time_zone("GMT+1")

    assert str(caught.value).partition("; ")[2] == "the nearest are: Etc/GMT, GMT"


@pytest.mark.parametrize("given", ["localtime", "Factory", "posixrules"])
def test_name_that_is_no_place_is_refused(given: str) -> None:
    """What a machine was set to is not what a team lives in."""
    with pytest.raises(TimeZoneError):
        parse_time_zone(given)
