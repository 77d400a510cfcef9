"""One thing looked at, and what was found."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing looked at.

    Attributes:
        name: What.
        ok: Whether it is as it must be.
        detail: What was found; no secrets.
        hint: What to try; empty when ``ok``.
        kind: What sort of thing; the page has texts for each.
        is_warning: Not as it should be, but everything works.
    """

    name: str
    ok: bool
    detail: str
    hint: str = ""
    kind: str = ""
    is_warning: bool = False

    def __post_init__(self) -> None:
        """The kind is the first word of the name, unless it is given."""
        if not self.kind:
            object.__setattr__(self, "kind", self.name.partition(" ")[0])
