"""What comes in from outside, a module a door.

A door makes an input out of a random generator, and takes it in the way the product does:

- `make(rng, folder)` writes one input into an empty folder: good, odd, damaged or hostile;
- `enter(folder)` calls the product's own function and returns an `Outcome`. A `MmragbenchError` of
  one line is a refusal, which is fine; anything else that it raises is a fault.
"""

from __future__ import annotations

from typing import NamedTuple


class Outcome(NamedTuple):
    """What became of the items of an input.

    Attributes:
        given: how many there were (lines, rows, pictures), counted without the product's reader;
            None where the input is too damaged to count.
        taken: how many came in.
        named: how many were left out by name or number.
    """

    given: int | None
    taken: int
    named: int = 0

    @property
    def dropped(self) -> bool:
        """Whether something went without a word, or came in twice."""
        return self.given is not None and self.given != self.taken + self.named
