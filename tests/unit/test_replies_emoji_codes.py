"""Which codes become which emoji."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.replies.emoji_codes import emoji_by_name, with_emoji

TONES = re.compile("[\U0001f3fb-\U0001f3ff]")
TONED = {name: char for name, char in emoji_by_name().items() if name.endswith("_skin_tone")}
CODES = {
    ":smile:": "😄",
    ":simple_smile:": "🙂",
    ":-1:": "👎",
    ":100:": "💯",
    ":flag-nl:": "🇳🇱",
    ":netherlands:": "🇳🇱",
    ":hash:": "#\ufe0f\u20e3",
    ":information_source:": "ℹ\ufe0f",
    ":+1_light_skin_tone:": "👍🏻",
    ":+1_medium_light_skin_tone:": "👍🏼",
    ":thumbsup_medium_skin_tone:": "👍🏽",
    ":thumbsup_medium_dark_skin_tone:": "👍🏾",
    ":+1_dark_skin_tone:": "👍🏿",
    ":woman-shrugging:": "🤷\u200d♀\ufe0f",
    ":man-shrugging_medium_skin_tone:": "🤷🏽\u200d♂\ufe0f",
    ":couple_light_skin_tone_dark_skin_tone:": "👩🏻\u200d🤝\u200d👨🏿",
    ":male-doctor:": "👨\u200d⚕\ufe0f",
    ":woman_health_worker_dark_skin_tone:": "👩🏿\u200d⚕\ufe0f",
    ":face_palm:": "🤦",
    ":man-gesturing-no:": "🙅\u200d♂\ufe0f",
    ":the_horns:": "🤘",
    ":i_love_you_hand_sign:": "🤟",
    ":face_with_cowboy_hat:": "🤠",
    ":guardsman:": "💂",
    ":ok_woman:": "🙆",
    ":doctor:": "🧑\u200d⚕\ufe0f",
    ":blonde_man_medium_skin_tone:": "👱🏽\u200d♂\ufe0f",
    ":Smile:": "😄",
    "(:tada:)": "(🎉)",
    ":tada::tada:": "🎉🎉",
    ":mattermost:": ":mattermost:",
    "10:30:45": "10:30:45",
    "a:smile:": "a:smile:",
    ":smile:b": ":smile:b",
}


@pytest.mark.parametrize(("code", "expected"), CODES.items(), ids=CODES.keys())
def test_emoji_codes_become_unicode(code: str, expected: str) -> None:
    """Mattermost's codes become emoji, and any other text stays as it is."""
    assert with_emoji(code) == expected


def test_table_holds_what_mattermost_knows() -> None:
    """The table has more names than the 4,463 of Mattermost 11, also for later emoji."""
    assert len(emoji_by_name()) > 5_500
    assert len(TONED) > 2_900


@given(name=st.sampled_from(sorted(emoji_by_name())))
def test_every_name_in_the_table_is_replaced(name: str) -> None:
    """The code of each name in the table becomes its emoji."""
    assert with_emoji(f"x :{name}: y") == f"x {emoji_by_name()[name]} y"


@given(name=st.sampled_from(sorted(TONED)))
def test_emoji_has_as_many_tones_as_its_name(name: str) -> None:
    """An emoji has the skin tones of its name, each right after the part that it colours."""
    tones = TONES.findall(TONED[name])

    # Two people in the same tone can be one character, which has the tone once.
    assert len(set(tones)) == len(set(re.findall("(?:medium_)?(?:light|dark)|medium", name)))
    assert not re.search("[\u200d\u2640\u2642\ufe0f][\U0001f3fb-\U0001f3ff]", TONED[name])
