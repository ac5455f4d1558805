"""The seam between work and whoever does it: two verbs, and what they promise."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

ALLOWED_DEATHS = 10
"""Workers that one item may cost before it is taken to be what kills them."""


class WorkersLostError(RuntimeError):
    """Work could not be done: one item ended worker after worker, or whoever hands out the work is gone."""


class Executor(Protocol):
    """Does one thing to many items, on as many workers as it has.

    Workers die and networks fail, so an item may be worked on more than once, here and elsewhere at the same time.
    `fn` must therefore be pure, or write only what may be written twice: a file under a name made of its content.
    Results do not depend on who computed them as long as `fn` does not.
    """

    def share(self, obj: Any) -> Any:
        """A handle that stands for an object in any number of runs of this executor; each worker gets it once.

        The object is to be left as it is from then on, here and by `fn`: it may be the very same object.
        """
        ...

    def run(self, fn: Callable[..., Any], items: Iterable[Any], *shared: Any) -> Iterator[tuple[int, Any]]:
        """Pairs (i, fn(item, *objects)) for item i of the items, as they are done: in any order, each i once.

        fn is a function of a module that workers can import; items, objects and results can be pickled. `shared` are
        handles from `share`; fn gets what they stand for. Items are drawn as workers get free, a bounded number ahead;
        nothing is done before the first pair is asked for, and closing the iterator drops what is left.

        A worker that dies costs time alone: what it had is done again. An item that has cost many workers
        raises WorkersLostError. What fn raises is raised here, and the rest is dropped; the executor stays good
        for other runs. Several runs may go on at once, one within another too.
        """
        ...
