"""Runs the user's script as the interpreter would, under observation, and brings it to a stop."""

from __future__ import annotations

import builtins
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from types import CodeType, FrameType, ModuleType, TracebackType
from typing import Any

from advisor.model.recipe import Recipe
from advisor.model.record import dataclass
from advisor.model.source import Place
from advisor.model.trace import Trace
from advisor.probe.arrival import Arrivals
from advisor.probe.children import Children
from advisor.probe.place import OURS, Places
from advisor.probe.request import Request
from advisor.probe.session import Session, Stop


@dataclass
class Outcome:
    """How the script ended."""

    stopped: str | None = None  # steps, seconds, interrupt; None: it ended by itself
    exit: int | None = None
    exception: str | None = None
    place: Place | None = None
    error: BaseException | None = None  # what to raise again where the script itself is not the whole program

    @property
    def failed(self) -> bool:
        """True when the script broke before the probe had seen enough."""
        return self.exception is not None or (self.stopped is None and self.exit not in (None, 0))


class UsageError(Exception):
    """The script cannot be started at all."""


class Observation:
    """One observed run: `start` runs the script, `trace` tells what was seen."""

    def __init__(self, request: Request, entry: str | None = None, directory: str | None = None) -> None:
        self.request = request
        directory = directory or os.getcwd()
        folder = directory if request.module else os.path.dirname(os.path.abspath(entry or request.script))
        self.entry = os.path.abspath(entry or request.script)
        self.places = Places((folder, directory), directory)
        self.session = Session(request, self.places)
        self.session.finish = self.leave_now
        self.children = Children(self)
        entry = request.script if request.module else self.places.display(entry or request.script)
        self.recipe = Recipe(entry, framework="plain", place=Place(entry, 1))
        self.arrivals = Arrivals()
        self.run: Any = None
        self.outcome = Outcome()
        self.over = threading.Event()
        self.where: Place | None = None
        self.seen: Trace | None = None
        self.finished = threading.Lock()
        self.deaf = False  # to a request to end, while the report is written

    # -- hooks --------------------------------------------------------------------------------------------------

    def arrived(self, torch: ModuleType) -> None:
        """torch has just been imported by the script: hang the instruments on it."""
        from advisor.probe.hooks import install
        from advisor.probe.inventory import Inventory
        from advisor.probe.record import Recorder
        from advisor.probe.run import Run

        self.run = Run(self.session, Inventory(self.places, self.recipe), Recorder(), self.recipe, self.arrivals)
        install(self.run)
        self.session.watch("processes", self.children.install)

    def disown(self) -> None:
        """In a forked child: these instruments belong to the parent, this process is watched anew or not at all."""
        self.session.patches.undo()
        self.arrivals.remove()

    def trace(self) -> Trace:
        """What was seen, gathered once."""
        if self.seen is None:
            self.session.measuring = False
            self.arrivals.remove()
            if self.run is None:
                self.seen = Trace(self.recipe, skipped=self.session.skipped)
                self.session.skip("the script never imported torch")
            else:
                from advisor.probe.gather import trace_of

                self.children.wait()
                self.session.patches.undo()
                complete = self.outcome.stopped is None and not self.outcome.failed
                self.seen = trace_of(self.run, complete)
                self._from_children()
            self._not_reached(self.seen)
        return self.seen

    def _from_children(self) -> None:
        """When the training ran in processes that the script started, the trace is that of the first of them."""
        left = next(iter(self.children.left()), None)
        assert self.seen is not None
        if left is not None and left.trace.steps and not self.seen.steps:
            left.trace.skipped = [*left.trace.skipped, *(entry for entry in self.session.skipped if entry not in left.trace.skipped)]
            self.session.skipped, self.seen = left.trace.skipped, left.trace
            self.session.instruments_seconds = left.seconds
            self.outcome.stopped = self.outcome.stopped or left.stopped
        self.children.remove()

    def _not_reached(self, trace: Trace) -> None:
        if self.run is not None and not trace.steps:
            where = f"; the script stood at {self.where.file}:{self.where.line}" if self.where is not None else ""
            self.session.skip(f"no optimizer step was seen{where}", self.where)
        elif self.run is not None and any(one.over and not one.backwards for one in self.run.loaders.passes) and not trace.evaluations:
            self.session.skip("the validation computes no loss", None, ("overfitting",))
        elif self.run is not None and not trace.evaluations and self.outcome.stopped is not None:
            self.session.skip(f"no validation was reached within {trace.steps} steps (--through-validation goes on to it)", None, ("overfitting",))

    def watch_from_here(self) -> None:
        """Watch the code that runs from now on in this process, until `trace` is asked for."""
        self.arrivals.install()
        self.arrivals.when("torch", self.arrived)

    # -- the script ---------------------------------------------------------------------------------------------

    def start(self) -> Outcome:
        """Run the script to its end or to the stop."""
        code, module = self._load()
        self.observe(lambda: exec(code, module.__dict__))
        if self.outcome.error is not None and not isinstance(self.outcome.error, SystemExit):
            self._print(self.outcome.error)
        if os.getpid() != self.session.pid:  # a child that the script forked has come to its end
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(1 if self.outcome.exception is not None else self.outcome.exit or 0)
        return self.outcome

    def observe(self, function: Callable[[], Any]) -> Any:
        """Run something under observation, to its end or to the stop; how it ended stands in `outcome`."""
        self.watch_from_here()
        clock = threading.Thread(target=self._clock, name="advisor-probe-clock", daemon=True)
        clock.start()
        terminated = self._on_requests_to_end()
        try:
            return function()
        except Stop as stop:
            self.outcome.stopped = stop.reason
        except KeyboardInterrupt:
            self.outcome.stopped = "interrupt"
        except SystemExit as error:
            self._exited(error)
        except BaseException as error:
            if self.session.stopping is not None and _comes_from_stop(error):
                self.outcome.stopped = self.session.stopping
            else:
                self._failed(error)
        finally:
            self.over.set()
            self.session.measuring = False
            self.arrivals.remove()
            if terminated and os.getpid() == self.session.pid:
                signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the report is on its way
                self.deaf = True
        return None

    def reported(self) -> None:
        """The report is written: a request to end is answered as before the run."""
        if self.deaf:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            self.deaf = False

    def _on_requests_to_end(self) -> bool:
        """Ctrl-C, and the request to end of launchers and CI systems, are answered with the report so far.

        An exception raised in a destructor or a callback of the interpreter is printed and dropped, so the end is also
        asked for at the next hook. True when SIGTERM is answered here.
        """
        ours = threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL

        def end(number: int, frame: FrameType | None) -> None:
            if os.getpid() == self.session.pid and not self.over.is_set():
                self.session.end("interrupt")
                raise KeyboardInterrupt
            former = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
            signal.signal(number, former)
            os.kill(os.getpid(), number)

        if ours:
            signal.signal(signal.SIGTERM, end)
        if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, end)
        return ours

    def _load(self) -> tuple[CodeType, ModuleType]:
        """The script's code and a fresh `__main__` to run it in; sys.argv and sys.path as `python` would set them."""
        request = self.request
        module = ModuleType("__main__")
        module.__dict__["__builtins__"] = builtins
        if request.module:
            import importlib.util

            sys.path[0:1] = [os.getcwd()]
            name = request.script
            spec = importlib.util.find_spec(name)
            if spec is not None and spec.submodule_search_locations is not None:
                name, spec = name + ".__main__", importlib.util.find_spec(name + ".__main__")
            if spec is None or spec.loader is None or not hasattr(spec.loader, "get_code"):
                raise UsageError(f"No module named {request.script}")
            code = spec.loader.get_code(name)
            file = spec.origin or name
            module.__spec__, module.__package__ = spec, spec.parent
        else:
            file = request.script
            try:
                with open(file, "rb") as source:
                    text = source.read()
            except OSError as error:
                raise UsageError(f"{file}: {error.strerror}") from None
            code = compile(text, file, "exec", dont_inherit=True)
            sys.path[0:1] = [os.path.dirname(os.path.abspath(file))]
            module.__spec__, module.__package__ = None, None
        module.__file__ = file
        module.__dict__["__cached__"] = None
        sys.argv = [file, *request.arguments]
        sys.modules["__main__"] = module
        assert code is not None
        return code, module

    def _exited(self, error: SystemExit) -> None:
        code = error.code
        if self.session.stopping is not None:
            self.outcome.stopped = self.session.stopping
            return
        if code is not None and not isinstance(code, int):
            print(code, file=sys.stderr)
        self.outcome.exit = 0 if code is None else code if isinstance(code, int) else 1
        self.outcome.error = error

    @staticmethod
    def _print(error: BaseException) -> None:
        """Print the traceback without our frames, as the interpreter would."""
        peeled = error.__traceback__
        while peeled is not None and os.path.realpath(peeled.tb_frame.f_code.co_filename).startswith(OURS):
            peeled = peeled.tb_next
        without_ours(error.with_traceback(peeled))

    def _failed(self, error: BaseException) -> None:
        self.outcome.error = error
        own = [(f, line) for f, line in traceback.walk_tb(error.__traceback__) if self.places.rank(f.f_code.co_filename) == 2]
        self.outcome.exception = f"{type(error).__name__}: {error}"
        if own:
            self.outcome.place = Place(self.places.display(own[-1][0].f_code.co_filename), own[-1][1])

    # -- the clock ----------------------------------------------------------------------------------------------

    def _clock(self) -> None:
        """Ask for the end after the seconds given; when the main thread does not come to a hook, raise there; at last leave from here."""
        limit = self.request.seconds
        left = self.session.begun + limit - time.monotonic()
        if limit <= 0 or self.over.wait(max(left, 0.05)):
            return
        main = threading.main_thread().ident or 0
        self.where = self.places.of(_frame_of(main))
        self.session.end("seconds")
        if self.over.wait(3.0 if self.session.agree is None else 20.0):
            return
        self.session.stopping = self.session.stopping or "seconds"
        import ctypes

        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(main), ctypes.py_object(_StopForTime))
        if self.over.wait(15.0):
            return
        self.leave_now()

    def leave_now(self) -> None:
        """The script does not end: report what there is from this thread and leave the process."""
        with self.finished:
            if self.over.is_set():
                return
            self.outcome.stopped = self.session.stopping or "seconds"
            self.session.measuring = False
            self.finish(self)

    finish: Callable[[Observation], None] = staticmethod(lambda observation: os._exit(2))


class _StopForTime(Stop):
    def __init__(self) -> None:
        super().__init__("seconds")


def _frame_of(thread: int) -> FrameType | None:
    return sys._current_frames().get(thread)


def _comes_from_stop(error: BaseException) -> bool:
    seen: set[int] = set()
    chain: BaseException | None = error
    while chain is not None and id(chain) not in seen:
        if isinstance(chain, Stop):
            return True
        seen.add(id(chain))
        chain = chain.__cause__ or chain.__context__
    return False


def without_ours(error: BaseException) -> None:
    """Print a traceback in which our own frames do not appear."""
    shown = traceback.TracebackException.from_exception(error)
    seen: set[int] = set()
    link: Any = shown
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        link.stack = traceback.StackSummary.from_list([frame for frame in link.stack if not os.path.realpath(frame.filename).startswith(OURS)])
        link = link.__cause__ or link.__context__
    print("".join(shown.format()), end="", file=sys.stderr)
    _: TracebackType | None = None
