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
        ("", "Europe/Amsterdam"),
        ("+01:00", "Europe/Amsterdam"),
        ("../etc/passwd", "Europe/Amsterdam"),
        ("x" * 500, "Europe/Amsterdam"),
    ],
)
def test_wrong_name_is_answered_with_the_nearest(given: str, nearest: str) -> None:
    """The first one offered is what was meant, or an example where nothing is like it."""
    with pytest.raises(TimeZoneError) as caught:
        parse_time_zone(given)

    assert str(caught.value).partition("are: ")[2].split(", ")[0] == nearest
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("given", ["localtime", "Factory", "posixrules"])
def test_name_that_is_no_place_is_refused(given: str) -> None:
    """What a machine was set to is not what a desk lives in."""
    with pytest.raises(TimeZoneError):
        parse_time_zone(given)
