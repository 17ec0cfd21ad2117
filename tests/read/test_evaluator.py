"""The evaluator on tiny programs: order inside joins, weak truth, loops, arms that leave, undo, generators at the consumer."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest

from advisor.model.events import Branch, Call, Event, Exit, Kind, Loop, walk
from advisor.model.source import value_of
from advisor.read.python import imports
from advisor.read.python.project import Project, SourceModule
from advisor.read.python.reader import Reader
from advisor.read.python.values import Constant, Generator, Instance, Mapping, Opaque, Sequence, Union, Value, plain


def run(tmp_path: Path, text: str, **files: str) -> Reader:
    """Executes a program abstractly and gives the reader with the names it bound."""
    (tmp_path / "main.py").write_text(textwrap.dedent(text))
    for name, content in files.items():
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(content))
    project = Project(str(tmp_path))
    source = project.load(str(tmp_path / "main.py"))
    assert isinstance(source, SourceModule)
    reader = Reader(project, source)
    imports.run_module(reader, reader.entry, main=True)
    return reader


def name(reader: Reader, wanted: str) -> Value:
    """The value bound to a global name after the program ended."""
    return reader.entry.namespace[wanted]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1 + 2 * 3", 7),
        ("2 ** 10", 1024),
        ("'a' + 'b'", "ab"),
        ("f'{1 + 1}-{\"x\"}'", "2-x"),
        ("[1, 2, 3][1]", 2),
        ("[1, 2, 3][-1]", 3),
        ("{'a': {'b': 5}}['a']['b']", 5),
        ("{**{'a': 1}, 'a': 2}['a']", 2),
        ("3 if 1 < 2 else 4", 3),
        ("not 0", True),
        ("1 < 2 < 3", True),
        ("None is None", True),
        ("'x' in ['x', 'y']", True),
        ("[x * 2 for x in [1, 2]][1]", 4),
        ("{k: v for k, v in [('a', 1)]}['a']", 1),
        ("(lambda x, y=2: x + y)(3)", 5),
        ("[*[1, 2], 3][2]", 3),
        ("7 // 2", 3),
        ("-5", -5),
        ("0.1 * 8", 0.8),
    ],
)
def test_constants_are_computed(tmp_path: Path, expression: str, expected: object) -> None:
    assert plain(name(run(tmp_path, f"value = {expression}"), "value")) == expected


@pytest.mark.parametrize("bomb", ["9 ** 9 ** 9", "'a' * 10 ** 9", "1 << 10 ** 9", "[0] * 10 ** 9", "2.0 ** 100000", "1 / 0"])
def test_constants_that_explode_are_unknown(tmp_path: Path, bomb: str) -> None:
    value = name(run(tmp_path, f"value = {bomb}"), "value")
    assert isinstance(value, (Opaque, Sequence))


def test_both_sides_of_an_unknown_condition_are_joined_first_arm_first(tmp_path: Path) -> None:
    value = name(run(tmp_path, "if unknown():\n    lr = 1\nelse:\n    lr = 2"), "lr")
    assert isinstance(value, Union)
    assert [plain(m) for m in value.members] == [1, 2]


def test_a_known_condition_prunes(tmp_path: Path) -> None:
    assert plain(name(run(tmp_path, "if 1 > 2:\n    lr = 1\nelse:\n    lr = 2"), "lr")) == 2


def test_an_arm_that_raises_leaves_nothing_behind(tmp_path: Path) -> None:
    value = name(run(tmp_path, "lr = 1\nif unknown():\n    lr = 2\n    raise ValueError\n"), "lr")
    assert plain(value) == 1


def test_an_arm_that_returns_contributes_its_value_only(tmp_path: Path) -> None:
    value = name(run(tmp_path, "def f():\n    x = 1\n    if unknown():\n        x = 2\n        return x\n    return x + 10\nvalue = f()"), "value")
    assert isinstance(value, Union)
    assert [plain(m) for m in value.members] == [2, 11]


def test_a_branch_is_undone_before_the_other_is_read_lists_included(tmp_path: Path) -> None:
    reader = run(tmp_path, "xs = [1]\nd = {}\nif unknown():\n    d['a'] = 1\n    n = 1\nelse:\n    d['b'] = 2\n    n = len\n")
    d = name(reader, "d")
    assert isinstance(d, Mapping)
    assert set(d.items) == {"a", "b"}


def test_loop_names_are_widened_so_no_first_turn_decides(tmp_path: Path) -> None:
    reader = run(tmp_path, "bad = 0\nfor i in unknown():\n    if bad >= 3:\n        hit = 1\n    bad += 1\n")
    branches = [node for node, _ in walk(reader.recipe.tree) if isinstance(node, Branch)]
    assert [b.condition.text for b in branches if b.condition] == ["bad >= 3"]
    assert isinstance(name(reader, "bad"), Opaque)


def test_a_counter_kept_by_an_object_is_widened_inside_the_loop(tmp_path: Path) -> None:
    reader = run(
        tmp_path,
        """
        class Stop:
            def __init__(self):
                self.count = 0
                self.best = None
            def __call__(self, loss):
                if self.best is None:
                    self.best = loss
                else:
                    self.count += 1
                    if self.count >= 3:
                        return True
        stop = Stop()
        for epoch in unknown():
            if stop(loss()):
                break
        """,
    )
    texts = [node.condition.text for node, _ in walk(reader.recipe.tree) if isinstance(node, Branch) and node.condition]
    assert texts == ["self.best is None", "self.count >= 3", "stop(loss())"]
    assert any(isinstance(node, Exit) and node.what == "break" for node, _ in walk(reader.recipe.tree))


def test_a_literal_list_is_read_item_by_item(tmp_path: Path) -> None:
    reader = run(tmp_path, "seen = {}\nfor phase in ['train', 'val']:\n    seen[phase] = phase + '!'\n")
    assert plain(name(reader, "seen")) == {"train": "train!", "val": "val!"}


def test_a_generator_is_read_where_it_is_consumed(tmp_path: Path) -> None:
    reader = run(
        tmp_path,
        """
        def batches(source):
            for item in source:
                yield item, 1
        for x, one in batches(unknown()):
            loss(x).backward()
        """,
    )
    found = [(node, context) for node, context in walk(reader.recipe.tree) if isinstance(node, Event) and node.kind is Kind.BACKWARD]
    assert len(found) == 1
    assert len([loop for loop in found[0][1].loops if isinstance(loop, Loop)]) == 1
    assert plain(name(reader, "one")) == 1


def test_a_context_manager_runs_its_block_at_the_yield(tmp_path: Path) -> None:
    reader = run(
        tmp_path,
        """
        from contextlib import contextmanager
        @contextmanager
        def timed():
            start()
            yield 5
            stop()
        with timed() as value:
            loss().backward()
        """,
    )
    assert plain(name(reader, "value")) == 5
    assert [e.kind for e, _ in walk(reader.recipe.tree) if isinstance(e, Event)] == [Kind.BACKWARD]


def test_the_same_condition_has_the_same_key(tmp_path: Path) -> None:
    reader = run(
        tmp_path, "amp = unknown()\nif amp:\n    loss().backward()\nif not amp:\n    loss().backward()\nif other():\n    loss().backward()\n"
    )
    keys = [(b.condition.key, b.condition.negated) for b, _ in walk(reader.recipe.tree) if isinstance(b, Branch) and b.condition]
    assert keys[0][0] == keys[1][0]
    assert keys[0][1] != keys[1][1]
    assert keys[2][0] != keys[0][0]


def test_a_link_to_an_argument_in_a_long_call_quotes_the_argument(tmp_path: Path) -> None:
    reader = run(
        tmp_path,
        """
        def train(rate, decay, betas):
            return rate + 0, decay + 0, betas
        found = train(
            rate=0.1,
            betas=(0.9, 0.99), decay=0.5,
        )
        """,
    )
    found = name(reader, "found")
    assert isinstance(found, Sequence)
    links = [[link.text for link in value.origin] for value in found.items if isinstance(value, Constant)]
    assert links[:2] == [["rate=0.1"], ["decay=0.5"]]


def test_functions_of_other_files_are_entered_and_chains_are_kept(tmp_path: Path) -> None:
    reader = run(tmp_path, "from settings import BASE\nlr = BASE * 2", settings="BASE = 0.05\n")
    value = name(reader, "lr")
    assert isinstance(value, Constant)
    assert value.value == 0.1
    assert [(link.file.rsplit("/", 1)[-1], link.line, link.text) for link in value.origin] == [("settings.py", 1, "BASE = 0.05")]


def test_cyclic_imports_end(tmp_path: Path) -> None:
    reader = run(tmp_path, "import a\nvalue = a.x", a="import b\nx = 1\n", b="import a\ny = 2\n")
    assert plain(name(reader, "value")) == 1


def test_recursion_ends(tmp_path: Path) -> None:
    value = name(run(tmp_path, "def f(n):\n    return f(n - 1) if n else 0\nvalue = f(unknown())"), "value")
    assert value is not None


def test_inheritance_super_and_properties(tmp_path: Path) -> None:
    reader = run(
        tmp_path,
        """
        class Base:
            rate = 1
            def __init__(self, rate):
                self.rate = rate
        class Child(Base):
            def __init__(self):
                super().__init__(rate=3)
            @property
            def double(self):
                return self.rate * 2
        value = Child().double
        """,
    )
    assert plain(name(reader, "value")) == 6


def test_calls_without_events_leave_nothing_in_the_tree(tmp_path: Path) -> None:
    reader = run(tmp_path, "def f(x):\n    return x\nf(1)\nf(2)\n")
    assert not [node for node, _ in walk(reader.recipe.tree) if isinstance(node, Call)]


def test_the_budget_ends_a_program_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("advisor.read.python.reader.HARD_BUDGET", 50)
    reader = run(tmp_path, "x = 1\n" + "x = x + 1\n" * 100)
    assert reader.recipe.budget_cuts == 1
    assert "budget of 50" in reader.recipe.not_read[0].why


def test_property_setters_run(tmp_path: Path) -> None:
    """An assignment to a property does what its setter says and keeps nothing of that name."""
    reader = run(
        tmp_path,
        """
        class Box:
            @property
            def loss(self):
                return self._loss

            @loss.setter
            def loss(self, given):
                self._loss = given * 2

        box = Box()
        box.loss = 3
        found = box.loss
        """,
    )
    assert plain(name(reader, "found")) == 6


def test_a_small_helper_answers_every_call(tmp_path: Path) -> None:
    text = "def get(d, k, default=None):\n    return d.get(k, default)\n"
    text += "d = {" + ", ".join(f"'k{i}': {i}" for i in range(20)) + "}\n" + "\n".join(f"x{i} = get(d, 'k{i}')" for i in range(20))
    reader = run(tmp_path, text)
    assert [plain(reader.entry.namespace[f"x{i}"]) for i in range(20)] == list(range(20))


def test_super_of_a_class_passes_no_instance(tmp_path: Path) -> None:
    text = """
    class A:
        @staticmethod
        def add(cfg):
            return cfg + 1
        @classmethod
        def name(cls):
            return cls
    class B(A):
        @staticmethod
        def add(cfg):
            return super(B, B).add(cfg) * 10
        @classmethod
        def name(cls):
            return super().name()
    x = B.add(4)
    y = B.name() is B
    """
    assert plain(run(tmp_path, text).entry.namespace["x"]) == 50


def test_containers_equal_no_text(tmp_path: Path) -> None:
    assert plain(run(tmp_path, "import u\nx = ({'a': u.x} == 'None', [u.x] != None)").entry.namespace["x"]) == (False, True)


def test_a_standard_module_is_no_folder_of_the_project(tmp_path: Path) -> None:
    for name in ("pkg/collections", "pkg/lhotse"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "a.py").write_text("y = 1")
    (tmp_path / "pkg/__init__.py").write_text("")
    (tmp_path / "pkg/tool.py").write_text("import collections.abc\nimport lhotse.array\nz = 3")
    reader = run(tmp_path, "from pkg.tool import z as x")
    assert plain(reader.entry.namespace["x"]) == 3
    assert reader.failed_imports == []


def test_optimizers_of_unread_libraries(tmp_path: Path) -> None:
    text = """
    import torch
    from elsewhere.optimizers import NovoGrad
    from elsewhere import Averager, Thing
    model = torch.nn.Linear(2, 2)
    a = NovoGrad(model.parameters(), 0.1, weight_decay=0.5)
    b = Thing([{"params": model.parameters(), "lr": 2}], lr=0.3)
    c = Averager(model.parameters(), decay=0.9)
    """
    found = run(tmp_path, text).recipe.optimizers
    assert [(o.kind, {key: value_of(held) for key, held in o.settings.items()}) for o in found] == [
        ("elsewhere.optimizers.NovoGrad", {"weight_decay": 0.5, "lr": 0.1}),
        ("elsewhere.Thing", {"lr": 0.3}),
    ]


CHOICE = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--name", default="none")
args = parser.parse_args()
table = {"one": 1, "two": 2}
found = 0
"""


@pytest.mark.parametrize(
    ("lines", "values"),
    [
        ("if args.name != 'none':\n    found = table[args.name]", {0, 1, 2}),
        ("if not args.name == 'none':\n    found = table[args.name]", {0, 1, 2}),
        ("if args.name == 'two':\n    found = table[args.name]", {0, 2}),
        ("if args.name == 'none':\n    pass\nelse:\n    found = table[args.name]", {0, 1, 2}),
        ("if args.name == 'two' and args.name:\n    found = table[args.name]", {0, 2}),
    ],
)
def test_an_arm_knows_what_its_condition_says_of_a_name(tmp_path: Path, lines: str, values: set[int]) -> None:
    reader = run(tmp_path, CHOICE + lines)
    found = name(reader, "found")
    assert isinstance(found, Union)
    assert {plain(member) for member in found.members} == values
    args = name(reader, "args")
    assert isinstance(args, Instance) and plain(args.attributes["name"]) == "none", "after the arm it is what it was"


def test_an_assertion_is_a_condition(tmp_path: Path) -> None:
    reader = run(tmp_path, "import os\nrank = int(os.environ['RANK'])\nassert rank == 0\nassert True\nassert isinstance(1, int)")
    [branch] = [node for node, _ in walk(reader.recipe.tree) if isinstance(node, Branch)]
    assert branch.condition is not None and (branch.condition.text, branch.place.line) == ("rank == 0", 3)
    leaving = {arm.taken_when: [node.what for node in arm.body if isinstance(node, Exit)] for arm in branch.arms}
    assert leaving == {True: [], False: ["raise"]}


def test_a_comparison_that_is_returned_is_a_condition(tmp_path: Path) -> None:
    reader = run(tmp_path, "def late(bad, limit):\n    return bad >= limit\nx = late(unknown, other)\n")
    [branch] = [node for node, _ in walk(reader.recipe.tree) if isinstance(node, Branch)]
    assert branch.condition is not None and branch.condition.operator == ">="
    answers = {arm.taken_when: value_of(node.value) for arm in branch.arms for node in arm.body if isinstance(node, Exit) and node.value is not None}
    assert answers == {True: True, False: False}


@pytest.mark.parametrize(
    "choice",
    [
        "optimizer = SGD(w, lr=0.1) if args.sgd else Adam(w, lr=0.2)",
        "if args.sgd:\n    optimizer = SGD(w, lr=0.1)\nelse:\n    optimizer = Adam(w, lr=0.2)",
        "optimizer = Adam(w, lr=0.2)\nif args.sgd:\n    optimizer = SGD(w, lr=0.1)",
        "def build(sgd):\n    if sgd:\n        return SGD(w, lr=0.1)\n    return Adam(w, lr=0.2)\noptimizer = build(args.sgd)",
    ],
)
def test_a_choice_between_constructions_is_one_thing(tmp_path: Path, choice: str) -> None:
    """One name that holds either is stepped once, the default's first; an optimizer under another name is another thing."""
    head = (
        "import argparse\nimport torch\nfrom torch.optim import SGD, Adam\nparser = argparse.ArgumentParser()\n"
        "parser.add_argument('--sgd', action='store_true')\nargs = parser.parse_args()\nw = torch.nn.Linear(2, 2).parameters()\n"
    )
    reader = run(tmp_path, f"{head}other = SGD(w, lr=0.3)\n{choice}\noptimizer.step()\n")
    [step] = [node for node, _ in walk(reader.recipe.tree) if isinstance(node, Event) and node.kind is Kind.OPTIMIZER_STEP]
    by_rate = {value_of(one.settings["lr"]): one for one in reader.recipe.optimizers}
    assert value_of(step.subject.settings["lr"]) == 0.2
    assert by_rate[0.1].slot is by_rate[0.2].slot
    assert by_rate[0.3].slot is not by_rate[0.2].slot


def test_an_extreme_of_what_a_flag_changes(tmp_path: Path) -> None:
    """The value on the default path stands first."""
    text = """
    import os
    if "FIXED" in os.environ:
        size = 16
    else:
        size = measured()
    x = max(round(64 / size), 1)
    """
    found = name(run(tmp_path, text), "x")
    assert isinstance(found, Union)
    assert isinstance(found.members[0], Constant) and found.members[0].value == 4
    assert isinstance(found.members[1], Opaque)


def test_part_of_a_set(tmp_path: Path) -> None:
    """What a set operation leaves is known where both sets are; else nothing of it is sure, and what it decides may go either way."""
    text = """
        import os
        given = os.environ.keys()
        a = {"train", "test"}.difference({"test"})
        b = {"train", "test"}.intersection({"test": 1})
        c = {"train", "test"}.difference(["train", "test"])
        d = {"train", "test"}.difference(given)
        if d:
            raise ValueError(d)
        x = 1
    """
    names: dict[str, Any] = run(tmp_path, text).entry.namespace
    kept = {name: ([item.value for item in names[name].items], names[name].exact) for name in "abcd"}
    assert kept == {"a": (["train"], True), "b": (["test"], True), "c": ([], True), "d": ([], False)}
    assert isinstance(names["x"], Constant)


def test_path_from_the_environment(tmp_path: Path) -> None:
    """A path is a default as good as a text."""
    text = """
        import os
        from pathlib import Path
        root = Path(os.getenv("ROOT", Path(__file__).parent))
        found = str(os.environ.get("CONFIG", root / "conf"))
    """
    assert plain(name(run(tmp_path, text), "found")) == str(tmp_path / "conf")


def test_a_call_that_python_refuses_is_not_entered(tmp_path: Path) -> None:
    """Which argument belongs to which name is not known then; a decorator, `*args` or a keyword too much leave it known."""
    text = """
        def three(a, b, c):
            return a
        def many(a, *rest):
            return a
        @wrapped
        def wrapper(a):
            return a
        x = three(1, 2, 3, 4)
        y = many(1, 2, 3, 4)
        z = wrapper(1, 2)
        w = three(1, 2, 3, d=4)
    """
    reader = run(tmp_path, text)
    assert [plain(name(reader, one)) if isinstance(name(reader, one), Constant) else None for one in "xyzw"] == [None, 1, 1, 1]
    why = "`three` is given more arguments than it takes, and which belongs to which name is not known"
    assert [(entry.why, entry.line) for entry in reader.recipe.not_read] == [(why, 9)]


def test_what_one_registry_makes_is_not_what_another_makes(tmp_path: Path) -> None:
    """A method that is called too often is not followed; what it gave for another object is no answer."""
    many = "\n".join(f"size = config.get('size') or config.get('width{index}')" for index in range(12))  # no small helper
    asked = "\n".join(f"t{index} = TRANSFORMS.build({{'name': open('x').read(), 'size': {index}}})" for index in range(30))
    reader = run(
        tmp_path,
        f"""
        class Registry:
            def __init__(self):
                self.held = {{}}

            def register(self, made):
                self.held[made.__name__] = made
                return made

            def build(self, config):
                config = dict(config)
{textwrap.indent(many, " " * 16)}
                return self.held[config.pop("name")](**config)


        TRANSFORMS, OPTIMIZERS = Registry(), Registry()


        @TRANSFORMS.register
        class Resize:
            def __init__(self, size):
                self.size = size


        @OPTIMIZERS.register
        class Sgd:
            def __init__(self, lr):
                self.lr = lr


{textwrap.indent(asked, " " * 8)}
        optimizer = OPTIMIZERS.build({{'name': open('x').read(), 'lr': 0.1}})
        """,
    )
    first, last, optimizer = name(reader, "t0"), name(reader, "t29"), name(reader, "optimizer")
    assert isinstance(first, Instance) and isinstance(last, Instance) and first.cls is last.cls, "of the same registry"
    assert isinstance(optimizer, Opaque) and optimizer.why == "result of `build`"
    assert [entry.why for entry in reader.recipe.not_read] == ["`build` is called too often for every call to be followed"]


def test_an_optimizer_is_not_that_of_the_model_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in a large program, where what a function gave once is taken for what it gives."""
    for begun in ("SOFT_BUDGET", "_EARLY"):
        monkeypatch.setattr(f"advisor.read.python.functions.{begun}", 0)
    reader = run(
        tmp_path,
        """
        import torch

        def factory(kind, parameters):
            if kind == "sgd":
                return torch.optim.SGD(parameters, lr=0.1)
            return torch.optim.Adam(parameters)

        first, second = torch.nn.Linear(4, 3), torch.nn.Linear(4, 2)
        a, b = factory("sgd", first.parameters()), factory("sgd", second.parameters())
        """,
    )
    held = [module for optimizer in reader.recipe.optimizers for module in optimizer.modules]
    assert [value_of(module.settings["out_features"]) for module in held] == [3, 2]


def test_a_function_steps_the_optimizer_that_it_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each branch trains with its own, also in a large program: the steps of the first are not told as those of the second."""
    for begun in ("SOFT_BUDGET", "_EARLY"):
        monkeypatch.setattr(f"advisor.read.python.functions.{begun}", 0)
    reader = run(
        tmp_path,
        """
        import torch

        def train(model, optimizer):
            model(torch.randn(8, 4)).sum().backward()
            optimizer.step()

        model = torch.nn.Linear(4, 3)
        if torch.load("last.pt")["teacher"]:
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            train(model, optimizer)
        else:
            other = torch.optim.Adam(model.parameters(), lr=0.1)
            train(model, other)
        """,
    )
    steps = [event for event, _ in walk(reader.block) if isinstance(event, Event) and event.kind is Kind.OPTIMIZER_STEP]
    assert [step.subject.name for step in steps] == ["SGD", "Adam"]
    assert not reader.recipe.not_read


def test_what_one_trainer_steps_another_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A training method that is not entered again is not told as if it moved the weights of the object before, be that a module itself."""
    for begun in ("SOFT_BUDGET", "_EARLY"):
        monkeypatch.setattr(f"advisor.read.python.functions.{begun}", 0)
    reader = run(
        tmp_path,
        """
        import torch

        class Trainer(torch.nn.Module):
            def __init__(self, width):
                super().__init__()
                self.model = torch.nn.Linear(4, width)
                self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1)

            def fit(self, x):
                self.model(x).sum().backward()
                self.optimizer.step()

        first, second = Trainer(3), Trainer(2)
        for turn in range(3):
            first.fit(torch.randn(8, 4))
            first.fit(torch.randn(8, 4))
            second.fit(torch.randn(8, 4))
        """,
    )
    steps = [event for event, _ in walk(reader.block) if isinstance(event, Event) and event.kind is Kind.OPTIMIZER_STEP]
    assert [value_of(step.subject.modules[0].settings["out_features"]) for step in steps] == [3, 3]
    assert [(note.why, note.line) for note in reader.recipe.not_read] == [("`fit` is called too often for every call to be followed", 18)]


def test_what_is_given_in_the_place_of_nothing_was_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A function that is not entered again, and was given no optimizer when it was: what it does with one is not known."""
    for begun in ("SOFT_BUDGET", "_EARLY"):
        monkeypatch.setattr(f"advisor.read.python.functions.{begun}", 0)
    reader = run(
        tmp_path,
        """
        import torch

        def load(model, optimizer=None):
            state = torch.load("last.pt")
            model.load_state_dict(state["model"])
            if optimizer is not None:
                optimizer.load_state_dict(state["optimizer"])
            return state["epoch"]

        model = torch.nn.Linear(4, 3)
        load(model)
        first = torch.optim.SGD(model.parameters(), lr=0.1)
        epoch = load(model, first)
        """,
    )
    (optimizer,) = reader.recipe.optimizers
    assert optimizer.escaped == "load"
    assert [(note.why, note.line) for note in reader.recipe.not_read] == [("`load` is called too often for every call to be followed", 14)]


def test_a_list_of_which_some_is_known_has_other_items_too(tmp_path: Path) -> None:
    reader = run(
        tmp_path,
        """
        seen, number = {}, 0
        for line in open("words.txt"):
            for word in line.split() + ["<eos>"]:
                if word not in seen:
                    seen[word] = number
                    number += 1
        size = len(seen)
        """,
    )
    assert isinstance(name(reader, "size"), Opaque)


def test_what_a_branch_asks_is_what_was_known_before_its_arms(tmp_path: Path) -> None:
    """The condition is worked out behind the arms, and only where something came of them; what they wrote to its names does not count."""
    reader = run(
        tmp_path,
        """
        import torch
        from somewhere import find
        weights = torch.nn.Parameter(torch.zeros(2))
        limit, seen = find(), 3
        if not seen > limit:
            limit, seen = 7, 8
            weights.sum().backward()
        else:
            limit = 9
        """,
    )
    (branch,) = (node for node, _ in walk(reader.recipe.tree) if isinstance(node, Branch))
    asked = branch.condition
    assert asked is not None
    assert (asked.text, asked.negated, asked.operator, value_of(asked.left), value_of(asked.right)) == ("seen > limit", True, ">", 3, None)
    assert [arm.taken_when for arm in branch.arms] == [True, False]


def test_words_that_declare_count_only_where_they_are_code(tmp_path: Path) -> None:
    reader = run(
        tmp_path,
        '''
        count = 0
        def plain():
            """Says global and yield, and does neither."""
            count = 1
            return count
        def raising():
            global count
            count = 2
        def items():
            yield 5
        def outer():
            def inner():
                yield 6
            return 4
        a, b = plain(), count
        raising()
        c = items()
        d = outer()
        ''',
    )
    assert [plain(name(reader, wanted)) for wanted in ("a", "b", "count", "d")] == [1, 0, 2, 4]
    assert isinstance(name(reader, "c"), Generator)


@pytest.mark.parametrize(
    "missing",
    [
        "[key for key in NEEDED if key not in table]",
        "{key: 1 for key in NEEDED if key not in table}",
        "list(filter(lambda key: key not in table, NEEDED))",
        "sorted(key for key in NEEDED if key not in table)",
        "[key for key in NEEDED if not os.path.exists(key)]",
        "errors(table)",
    ],
)
def test_what_a_filter_may_have_left_out_is_not_there_for_sure(tmp_path: Path, missing: str) -> None:
    text = f"""
    import os
    import pandas as pd
    NEEDED = ["age", "label"]
    def errors(table):
        found = []
        for key in NEEDED:
            if key not in table.columns:
                found.append(key)
        return found
    def checked(table):
        missing = {missing}
        if missing:
            raise ValueError(missing)
        return 7
    x = checked(pd.read_csv("table.csv"))
    """
    found = name(run(tmp_path, text), "x")
    assert isinstance(found, Constant)
    assert found.value == 7


def test_a_list_that_is_known_is_true_when_it_holds_something(tmp_path: Path) -> None:
    text = "LIMITS = [3, 4]\nx = 1 if [limit for limit in LIMITS if limit > 3] else 2\ny = 1 if [limit for limit in LIMITS if limit > 4] else 2\n"
    reader = run(tmp_path, text)
    assert [plain(name(reader, one)) for one in "xy"] == [1, 2]


def test_a_call_that_python_refuses_hands_nothing_on(tmp_path: Path) -> None:
    text = """
    import torch
    class Trainer:
        def __init__(self, model):
            self.optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        def push(self, message):
            pass
        def train(self):
            self.push("the end", True)
    Trainer(torch.nn.Linear(4, 2)).train()
    """
    reader = run(tmp_path, text)
    assert [optimizer.escaped for optimizer in reader.recipe.optimizers] == [None]
    assert len(reader.refusals.calls) == 1


@pytest.mark.parametrize(
    "fill",
    [
        "groups = collections.defaultdict(list)\nfor row in table.columns:\n    groups[row].append(1)\n",
        "groups = collections.defaultdict(lambda: collections.defaultdict(list))\nfor row in table.columns:\n    groups[row]['a'].append(1)\n",
        "groups = {}\nfor row in table.columns:\n    groups.setdefault(row, []).append(1)\n",
        "groups = {}\nfor row in table.columns:\n    groups[row] = [1]\n",
    ],
)
def test_what_is_grouped_under_keys_that_are_not_known_is_there(tmp_path: Path, fill: str) -> None:
    """Neither is the dict empty, nor is its key a text that is known."""
    text = f"import collections\nimport pandas as pd\ntable = pd.read_csv('table.csv')\n{fill}"
    text += "kept = sorted(key for key, rows in groups.items() if rows)\nx = len(kept) == 0\n"
    text += "y = [key for key in groups]\nz = [rows for rows in groups.values()]\n"
    reader = run(tmp_path, text)
    assert isinstance(name(reader, "x"), Opaque)
    keys, rows = name(reader, "y"), name(reader, "z")
    assert isinstance(keys, Sequence)
    assert isinstance(rows, Sequence)
    assert not any(isinstance(key, Constant) for key in keys.items)
    assert rows.items


def test_what_was_asked_for_by_another_word_is_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look-up that is not entered again gives what it was asked for, or what the other object holds, and that is not known."""
    for begun in ("SOFT_BUDGET", "_EARLY"):
        monkeypatch.setattr(f"advisor.read.python.functions.{begun}", 0)
    monkeypatch.setattr("advisor.read.python.functions._SMALL", 0)
    reader = run(
        tmp_path,
        """
        class Config:
            def __init__(self, held):
                self.held = held

            def ask(self, key):
                return self.held[key]

        config, other = Config({"render": 7, "epochs": 1000}), Config({"render": 8})
        a = config.ask("render")
        b = config.ask("render")
        c = config.ask("epochs")
        d = other.ask("render")
        """,
    )
    assert [plain(name(reader, one)) if isinstance(name(reader, one), Constant) else None for one in "abcd"] == [7, 7, None, None]


def test_arguments_that_have_lost_their_places_go_by_their_names(tmp_path: Path) -> None:
    """One was left out: Python refuses the call, or a default makes the number fit. Two that change places, and values without names, stay."""
    text = """
        def fit(loaders, device, model, best, epochs=1):
            return device, model, best, epochs
        def turned(one, other, third):
            return one, other, third
        loaders, model, best, epochs, one, other, third = 1, 2, 3, 4, 5, 6, 7
        x = fit(loaders, model, best)
        y = fit(loaders, model, best, epochs)
        z = turned(third, one, other)
        w = fit(3, 4, 5)
    """
    reader = run(tmp_path, text)
    bound = {one: name(reader, one) for one in "xyzw"}
    found = {one: [plain(item) for item in value.items] for one, value in bound.items() if isinstance(value, Sequence)}
    assert found["x"][1:3] == found["y"][1:3] == [2, 3] and found["x"][0] is Opaque
    assert found["z"] == [7, 5, 6] and found["w"][0] is Opaque
