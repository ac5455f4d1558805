"""Where work is done: in this thread, on threads, in processes, on a cluster. Whoever asks for it sees two verbs.

`executor` says what they promise; `crowdalpha.settings.open_executor` picks who keeps the promise.
"""

from crowdalpha.execution.executor import Executor, WorkersLostError

__all__ = ["Executor", "WorkersLostError"]
