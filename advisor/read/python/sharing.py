"""What executing the top level of a file leaves behind, kept for the other programs of the run that import the same file.

Many programs of a repository import one package. A file whose top level only binds names (and perhaps registers itself somewhere) is executed by
the first of them; the others take over the namespace that it made and the few things that it did besides. That is right only where everything that
its execution depended on is the same, so a file is executed anew when

* an import of it is not the same executed file,
* something that it could reach was written to by this program itself (a setting that the entry changed); what files register is added to
  whatever other files have registered, in whatever order,
* it looked for something beside the entry, and finds something else beside this one,
* it imported a name of a file that was not done itself, as files that import each other do, and is met from another side,
* it called functions before the soft budget of its program was spent, and would do so behind it, or the other way round.

* facts or events came up, and it is imported in a loop or under a condition.

Facts and events that tell of a training step are never shared, the parts of models and declared settings are. What a program writes to shared things
is taken back when it has been read; what it marked of shared facts when the next one takes them over, because they are judged in between.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from advisor.model.events import kinds
from advisor.read.python.executions import (
    SINGLETONS,
    Called,
    Cost,
    Done,
    Execution,
    Imported,
    Made,
    Met,
    Noted,
    Question,
    Returned,
    Shared,
    Slot,
    Used,
    World,
    Wrote,
)
from advisor.read.python.functions import HARD_BUDGET, SOFT_BUDGET
from advisor.read.python.outcome import QUIET, SHAREABLE, is_settled, is_unconditional, private
from advisor.read.python.store import MISSING

if TYPE_CHECKING:
    from advisor.read.python.frames import Frame
    from advisor.read.python.project import SourceModule
    from advisor.read.python.reader import Reader

EXECUTIONS = 4  # kept per file: it may find what it imports in different states


class Sharing:
    """What one program takes from the executions of earlier ones, and adds to them."""

    def __init__(self, reader: Reader, shared: Shared) -> None:
        self.reader = reader
        self.shared = shared
        self.entry = reader.entry.path
        self.folder = os.path.dirname(self.entry)
        self.answers: dict[tuple[Question, str], Any] = {}
        self.log: list[Any] | None = None  # of the execution that is being noted
        self.taken: dict[str, Execution] = {}  # path -> the execution that this program uses
        self.running: list[Execution | None] = []
        self.captured: list[list[Frame]] = []  # of each of these
        self.written: dict[Slot, tuple[dict[Any, Any], Any, Any]] = {}  # what the program itself wrote to: container, key, value at first
        self.registered: dict[int, dict[Any, Any]] = {}  # what files wrote to, when they were executed or taken over
        self.looked = 0  # how far the store's trail was searched for writes to shared containers
        self._began: tuple[Any, ...] = ()

    # --- taking over ---

    def take(self, path: str) -> bool:
        """Take over an earlier execution of a file instead of executing it. False when there is none that fits."""
        found = self.shared.executions.get(path)
        reader = self.reader
        if not found or reader.spent or reader.call_depth > 8:
            return False
        world = self._world()
        for execution in reversed(found):
            trial = _Trial(self, dict(world))
            if trial.run(execution):
                for step in trial.steps:
                    self._apply(step)
                if not self.running:
                    self.looked = reader.store.mark()
                return True
        return False

    def _apply(self, step: Any) -> None:
        reader, kind = self.reader, type(step)
        if kind is Done:
            reader.steps += step.steps
            reader.steps_shared += step.steps
            reader.serial += step.serial
            reader.block += step.nodes
            reader.functions += step.functions
            reader.failed_imports += step.failed_imports
            reader.unknown_calls += step.unknown_calls
            reader.leaves += step.leaves
            reader.keep += step.kept
            for name, facts in step.facts.items():
                getattr(reader.recipe, name).items += facts
        elif kind is Execution:
            self.taken[step.source.path] = step
            reader.project.use(step.source.path)
            reader.modules[step.source.path] = step.source
            reader.recipe.files.append(step.source.display)
            for made in step.made:
                made.renew()
        elif kind is Wrote:
            self._register(step.container, step.key, step.onto(step.container.get(step.key, MISSING)))
        elif kind is Called:
            if step.replayed is None:
                evaluations = reader.evaluations["on"]
                evaluations[step.node] = evaluations.get(step.node, 0) + 1
        elif kind is Returned:
            reader.entered.add(step.node)
            if step.summary is not None:
                reader.replays["on"][step.node] = step.summary
                reader.entered_with.pop(("on", step.node), None)  # what it was given there is not kept
        elif kind is Cost:
            reader.costs[step.node] = max(reader.costs.get(step.node, 0), step.steps)
        elif kind is Noted:
            reader.note(step.note)
        elif kind is Used:
            reader.imported.add(step.root)

    # --- noting ---

    def pause(self) -> None:
        """The file that is being executed imports another one, which is not executed yet."""
        if self.log is not None:
            self._end_stretch()
        self.log = None

    def resume(self, path: str) -> None:
        """The import is done: `path` was taken over or executed."""
        above = self.running[-1] if self.running else None
        if above is None:
            return
        self.log = above.log
        if path in self.taken:
            self.log.append(Imported(self.taken[path]))
        else:
            above.fit = False
        self._begin_stretch()

    def begin(self, source: SourceModule) -> None:
        """The top level of a file begins to be executed."""
        reader = self.reader
        self._world()
        settled = is_settled(reader)
        room = len(self.shared.executions.get(source.path, ())) < EXECUTIONS
        execution = Execution(source) if settled and room else None
        self.running.append(execution)
        self.captured.append([])
        self.log = execution.log if execution is not None else None
        if execution is not None:
            self._begin_stretch()

    def end(self, mark: int, complete: bool) -> None:
        """It is done. `mark`: where the store's trail stood when it began."""
        execution = self.running[-1]
        if execution is not None and complete:
            self._end_stretch()
        self.running.pop()
        frames = self.captured.pop()
        if execution is not None and complete and execution.fit and not self.reader.spent:
            self._keep(execution, mark)
            execution.captured = frames
        else:
            self.reader.captured += frames  # nobody else will look into them
            if execution is not None:
                execution.fit = False  # files that it imports in a circle know it
        self.log = None
        if not self.running:
            self.looked = self.reader.store.rewound = self.reader.store.mark()  # what files register is no doing of the program's own

    def found(self, path: str) -> None:
        """The file that is being executed imports one that is executed already, or is still running."""
        above = self.running[-1] if self.running else None
        if above is None:
            return
        running = next((index for index, one in enumerate(self.running) if one is not None and one.source.path == path), None)
        if running is not None and None not in self.running[running:]:
            target = self.running[running]
            assert target is not None
            above.log.append(Imported(target))
        elif path in self.taken:
            above.log.append(Imported(self.taken[path]))
        else:
            above.fit = False

    def depends_on_circle(self, path: str) -> None:
        """What is being read lacks a name of a file that is still being executed, as does whatever that file imported on the way here."""
        for execution in reversed(self.running):
            if execution is not None and execution.source.path == path:
                return
            if execution is not None:
                execution.circle.add(path)

    def depends_on_folder(self) -> None:
        """The answer to what is being read depends on where the entry stands."""
        for execution in self.running:
            if execution is not None:
                execution.folder = self.folder

    def depends_on_answer(self, question: Question, about: str, answer: Any) -> None:
        """What is being read depends on the answer to a question about where the entry stands."""
        self.answers[question, about] = answer
        for execution in self.running:
            if execution is not None:
                execution.answers[question, about] = answer

    def answer(self, question: Question, about: str) -> Any:
        """The answer for this program, which is looked for once."""
        if (question, about) not in self.answers:
            self.answers[question, about] = question(self.reader.project, about, self.entry)
        return self.answers[question, about]

    def depends_on_entry(self) -> None:
        """What is being read is different for each entry: nothing for others to take over."""
        for execution in self.running:
            if execution is not None:
                execution.fit = False

    def _keep(self, execution: Execution, mark: int) -> None:
        source, home, store = execution.source, self.shared.home, self.reader.store
        execution.imports = [step.of for step in execution.log if type(step) is Imported]
        for one in execution.imports:
            self.shared.importers.setdefault(one.source.path, set()).add(source.path)
        execution.beneath = frozenset({source.path, SINGLETONS}).union(*(one.beneath or {one.source.path} for one in execution.imports))
        for index, step in enumerate(execution.log):
            if type(step) is Met:
                beneath = {slot: value for slot, value in step.world.items() if home[slot[0]].owner in execution.beneath}
                execution.log[index] = Met(beneath)
        # What it bound in itself and registered elsewhere stays, whatever branch the import stands in.
        self.registered.update((id(container), container) for container, _, _ in store.trail[mark:] if id(container) in home)
        del store.trail[mark:]
        store.rewound = min(store.rewound, mark)
        execution.made = [Made.of(fact) for step in execution.log if type(step) is Done for facts in step.facts.values() for fact in facts]
        execution.tells = any(type(step) is Done and (step.leaves or step.facts) for step in execution.log)
        self.shared.own(source.namespace, source.path)
        self.shared.own_all((*source.namespace.values(), *(step.value for step in execution.log if type(step) is Wrote)), source.path, source)
        self.shared.executions.setdefault(source.path, []).append(execution)
        self.shared.summaries.update((id(step.summary), step.summary) for step in execution.log if type(step) is Returned)
        self.taken[source.path] = execution

    def _begin_stretch(self) -> None:
        """A stretch of statements begins."""
        reader = self.reader
        assert self.log is not None
        self.log.append(Met(self._world()))
        lengths = len(reader.block), len(reader.functions), len(reader.failed_imports), len(reader.unknown_calls), len(reader.keep)
        facts = [len(getattr(reader.recipe, name).items) for name in SHAREABLE]
        self._began = (*lengths, reader.steps, reader.serial, reader.leaves, facts, reader.block, reader.store.mark(), private(reader))

    def _end_stretch(self) -> None:
        """A stretch of statements ends: what it did besides binding names in its own file is noted."""
        reader, execution = self.reader, self.running[-1]
        assert execution is not None
        nodes, functions, failed, unknown, kept, steps, serial, leaves, listed, block, mark, facts = self._began
        found = {name: items[start:] for name, start in zip(SHAREABLE, listed) if len(items := getattr(reader.recipe, name).items) > start}
        if reader.block is not block or facts != private(reader):
            execution.fit = False
        elif found or reader.leaves != leaves:
            execution.fit = execution.fit and self.shared.facts and is_unconditional(reader) and kinds(block[nodes:]) <= QUIET
        execution.log.append(
            Done(
                reader.block[nodes:],
                reader.functions[functions:],
                reader.failed_imports[failed:],
                reader.unknown_calls[unknown:],
                reader.steps - steps,
                reader.serial - serial,
                reader.leaves - leaves,
                found,
                reader.keep[kept:],
            )
        )
        slots: dict[Slot, tuple[dict[Any, Any], Any]] = {}
        for container, key, before in reader.store.trail[mark:]:
            if id(container) in self.shared.home:
                slots.setdefault((id(container), key), (container, before))
        execution.log += [Wrote(container, slot[1], before, container.get(slot[1], MISSING)) for slot, (container, before) in slots.items()]

    def _world(self) -> World:
        """What this program has written to shared containers so far, as far as it differs from what they held at first."""
        store, home = self.reader.store, self.shared.home
        if not self.running:
            for container, key, old in store.trail[min(self.looked, store.rewound) :]:
                if id(container) in home:
                    self.written.setdefault((id(container), key), (container, key, old))
            self.looked = store.rewound = len(store.trail)
        world = {}
        for slot, (container, key, first) in self.written.items():
            value = container.get(key, MISSING)
            if value is not first:
                world[slot] = value
        return world

    def _register(self, container: dict[Any, Any], key: Any, value: Any) -> None:
        self.registered[id(container)] = container
        if value is MISSING:
            container.pop(key, None)
        else:
            container[key] = value

    def settle(self) -> None:
        """The store's trail is about to be forgotten; what it says of shared containers is kept."""
        self._world()
        self.registered.update((id(container), container) for container, _, _ in self.reader.store.trail if id(container) in self.shared.home)
        self.looked = self.reader.store.rewound = 0

    def leave(self) -> None:
        """The program has been read: shared containers get back what they held before it."""
        self.settle()
        for identity in self.registered:
            container = self.shared.home[identity]
            container.held.clear()
            container.held.update(container.first)


class _Trial:
    """Whether an execution may be taken over now, and what that would do, told without doing it."""

    def __init__(self, sharing: Sharing, world: World) -> None:
        self.sharing = sharing
        self.reader = sharing.reader
        self.world = world
        self.steps: list[Any] = []
        self.taken: dict[str, Execution] = {}
        self.running: list[str] = []
        self.cost = 0

    def run(self, execution: Execution) -> bool:
        """False when something that it depends on is not as it was."""
        path = execution.source.path
        if not execution.fit or (execution.folder is not None and execution.folder != self.sharing.folder):
            return False
        if any(self.sharing.answer(question, about) != answer for (question, about), answer in execution.answers.items()):
            return False
        held = self.reader.modules.get(path)
        if held is not None and held.state != "new":
            return False
        if execution.tells and not (is_settled(self.reader) and is_unconditional(self.reader)):
            return False
        if not all(other in self.running or self._runs(other) for other in execution.circle):
            return False
        self.steps.append(execution)
        self.taken[path] = execution
        self.running.append(path)
        home, beneath = self.sharing.shared.home, execution.beneath
        early = False  # whether a call of this stretch was made while functions are entered several times
        for step in execution.log:
            kind = type(step)
            if kind is Imported:
                if not self._imports(step):
                    return False
            elif kind is Met:
                now = {slot: value for slot, value in self.world.items() if home[slot[0]].owner in beneath}
                if len(now) != len(step.world) or any(step.world.get(slot, MISSING) is not value for slot, value in now.items()):
                    return False
            elif kind is Called:
                if not self._calls(step) or (step.late and self.reader.steps + self.cost < SOFT_BUDGET):
                    return False
                early = early or not step.late
            elif kind is Done:
                self.cost += step.steps
                spent = self.reader.steps + self.cost
                if spent >= HARD_BUDGET or (early and spent >= SOFT_BUDGET):
                    return False
                early = False
            if kind is not Imported and kind is not Met:
                self.steps.append(step)
        self.running.pop()
        return True

    def _runs(self, path: str) -> bool:
        held = self.reader.modules.get(path)
        return held is not None and held.state == "running"

    def _imports(self, step: Imported) -> bool:
        path = step.of.source.path
        taken = self.taken.get(path) or self.sharing.taken.get(path)
        return taken is step.of if taken is not None else self.run(step.of)

    def _calls(self, step: Called) -> bool:
        if step.replayed is not None:
            return id(step.replayed) in self.sharing.shared.summaries
        return step.node not in self.reader.active
