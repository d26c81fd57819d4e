"""The use of a page by keyboard only."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import Frame, Page

# More than the controls on both sides of a long conversation.
MAX_TABS = 300

_NAME = """() => {
  const at = document.activeElement;
  const label = at.labels?.[0]?.cloneNode(true);
  label?.querySelectorAll("select, option").forEach((each) => each.remove());
  return (at.getAttribute("aria-label") ?? label?.textContent ?? at.textContent).trim();
}"""
# Whether the focus is visible: an outline or a shadow on the control itself, or on the form of a
# text box, or on the label of a file input.
_IS_MARKED = """() => {
  const drawn = (node) => {
    const style = getComputedStyle(node);
    const outline = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    return outline || style.boxShadow !== "none";
  };
  const at = document.activeElement;
  const holder = at.type === "file" ? at.labels[0] : at.matches("textarea") ? at.form : at;
  return drawn(at) || drawn(holder);
}"""
_IS_ON_SCREEN = """() => {
  const at = document.activeElement;
  const box = (at.type === "file" ? at.labels[0] : at).getBoundingClientRect();
  return box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth;
}"""


@dataclass(frozen=True, slots=True)
class Stop:
    """A control that got the focus: its name, and whether the focus is visible on the screen."""

    name: str
    is_seen: bool


@dataclass(frozen=True, slots=True)
class Keyboard:
    """The keyboard at a page, and the control that has the focus."""

    page: Page

    def press(self, *keys: str) -> None:
        """Press keys one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        """Type a text into the control that has the focus."""
        self.page.keyboard.type(text)

    def tab_to(self, name: str, *, key: str = "Tab") -> list[Stop]:
        """Press Tab until the named control has the focus; return the controls on the way."""
        way: list[Stop] = []
        for _ in range(MAX_TABS):
            self.press(key)
            way.append(self.stop())
            if way[-1].name == name:
                return way
        raise AssertionError(f"{name!r} is not reached; there are {sorted({s.name for s in way})}")

    def stop(self) -> Stop:
        """Return the control that has the focus."""
        frame = self._frame()
        is_seen = frame.evaluate(_IS_MARKED) and frame.evaluate(_IS_ON_SCREEN)
        return Stop(str(frame.evaluate(_NAME)), is_seen)

    def _frame(self) -> Frame:
        held = self.page.evaluate_handle("document.activeElement").as_element()
        return (held and held.content_frame()) or self.page.main_frame
