"""What Python refuses when it gets there: calls whose arguments do not fit the function of the project."""

from __future__ import annotations

import ast
from collections import Counter
from typing import TYPE_CHECKING, Any

from advisor.model.recipe import Listing, RefusedCall, UndefinedName, UnknownKey
from advisor.model.record import dataclass
from advisor.read.python import called, classes, lacking, refused_options, sampled, scopes, undeclared, written_keys
from advisor.read.python.handed import Handed
from advisor.read.python.values import Arguments, Class, Constant, Function, Instance, Mapping, Sequence, Value

if TYPE_CHECKING:
    from advisor.model.recipe import Fact, Module
    from advisor.model.source import Place
    from advisor.read.python.reader import Reader

KEEPING = frozenset(["staticmethod", "classmethod", "abstractmethod", "no_grad", "inference_mode", "enable_grad"])  # decorators that change nothing
BY_ITSELF = ("forward", "__call__")  # what `self(x)` means
OPEN = ("unknown", "else")  # arms of tests that nothing decides


class Refusals:
    """What one program was refused so far. A call that fits in one of its turns is fine: it asked what it had before it."""

    def __init__(self) -> None:
        self.evaluated: Counter[ast.Call] = Counter()
        self.others: Counter[ast.AST] = Counter()  # beside the first, of the things whose method is called: each of them has to lack it
        self.guarded = 0  # bodies of try around
        self.calls: dict[ast.Call, tuple[int, RefusedCall | UndefinedName]] = {}
        self.attributes: dict[tuple[Class, str], tuple[UndefinedName, bool]] = {}  # that a class does not give its objects; asked of itself
        self.spelled: dict[tuple[str, str], UndefinedName] = {}  # names that a module of a library does not have
        self.options: dict[str, tuple[UndefinedName, Instance]] = {}  # that the options of a command line lack, with these
        self.nothing: dict[ast.Call, tuple[str, RefusedCall]] = {}  # calls of an attribute that is None
        self.sampled: set[tuple[Class, ast.AST]] = set()  # methods of data sets that were looked through
        self.looked: set[ast.AST] = set()  # functions that a library calls, which were looked through
        self.names: set[tuple[str, str]] = set()  # that were looked into: (file, name)
        self.modules: dict[tuple[str, str], ast.Call] = {}  # the first call of each in a file
        self.unbound: dict[str, frozenset[str]] = {}  # by file
        self.early: dict[tuple[ast.AST, str], list[Any]] = {}  # where a scope asks for a name ahead of what binds it
        self.signatures: dict[Function, Signature | None] = {}  # None: a decorator may change what it takes
        self.handed = Handed()
        self.unpacked: dict[ast.Call, list[Function]] = {}  # calls whose values get names, and the functions that they mean
        self.counts: dict[Function, frozenset[int]] = {}  # how many values a function returns; empty: that is not seen
        self.samples = called.Samples()
        self.parsers: dict[ast.AST, tuple[Instance, frozenset[str]]] = {}  # that read the command line, and the options that each takes
        self.keys: dict[tuple[Place, str], UnknownKey] = {}  # that the dict of another function does not have
        self.parts: dict[tuple[Class, str], list[tuple[Module, Module, Place]]] = {}  # modules that others store: whose it is, what, where
        self.handed_away: set[Value] = set()  # dicts that something was given which could not be read
        self.by_default: set[Value] = set()  # functions and classes that the default of a setting chose among others

    def choose(self, value: Value) -> None:
        """Notes what a setting chose by its default, alone or among other things: another run has another in its place."""
        for one in value.items.values() if isinstance(value, Mapping) else value.items if isinstance(value, Sequence) else (value,):
            if isinstance(one, (Class, Function)):
                self.by_default.add(one)

    def note(self, reader: Reader) -> None:
        """Puts them into the recipe."""
        self.handed.note(reader)
        for node, (times, fact) in self.calls.items():
            if isinstance(fact, RefusedCall):
                if times == self.evaluated[node]:
                    reader.recipe.refused_calls.items.append(fact)
            elif times == self.evaluated[node] + self.others[node] and not lacking.is_bound(reader, fact.name):
                reader.recipe.undefined_names.items.append(fact)

        for (cls, name), (fact, of_itself) in self.attributes.items():
            if not lacking.is_bound(reader, name, cls if of_itself else None):  # another object may be of another class than it seems
                reader.recipe.undefined_names.items.append(fact)
        reader.recipe.undefined_names.items += [fact for (_, name), fact in self.spelled.items() if not lacking.is_bound(reader, name)]
        undeclared.note(reader)
        refused_options.judge(reader)
        reader.recipe.unknown_keys.items += [key for key in self.keys.values() if not written_keys.is_written(reader, key.name)]
        reader.recipe.refused_calls.items += [call for name, call in self.nothing.values() if not sampled.is_given_later(reader, name)]

    def note_once(self, reader: Reader, fact: RefusedCall | UnknownKey) -> None:
        """Puts into the recipe what is refused whatever it is reached with."""
        held: Listing[Any] = reader.recipe.refused_calls if isinstance(fact, RefusedCall) else reader.recipe.unknown_keys
        if all(fact.place != known.place for known in held):
            under(reader, fact)
            held.items.append(fact)

    def refuse(self, reader: Reader, node: ast.Call, fact: RefusedCall | UndefinedName) -> None:
        """Notes that a call is refused once more, and how, the first time. One with a literal `...` lacks nothing: that is to be filled in."""
        if isinstance(fact, RefusedCall) and fact.missing and any(isinstance(one, ast.Constant) and one.value is ... for one in node.args):
            return
        times, first = self.calls.get(node) or (0, fact)
        if first is fact:
            under(reader, fact)
        self.calls[node] = (times + 1, first)

    def judge_of_each(self, reader: Reader, things: tuple[Value, ...], name: str, arguments: Arguments, node: ast.AST) -> None:
        """Notes a call of a method of one of several objects, where Python refuses it whichever it is."""
        found: list[RefusedCall | None] = []
        if not isinstance(node, ast.Call) or self.guarded or not arguments.exact or not arguments.written:
            return
        if any(label in OPEN for _, label in reader.conditions):
            return  # the arm may go with a class that is not among them
        for thing in things:
            if isinstance(thing, Constant) and thing.value is None:
                continue
            cls = thing.cls if isinstance(thing, Instance) and name not in thing.attributes else None
            method = classes.class_lookup(reader, cls, name) if cls is not None else None
            signature = _taken(self, method) if isinstance(method, Function) and method.kind == "plain" else None
            if not isinstance(method, Function) or signature is None or _is_left_open(method.node) or self.by_default & {method, method.owner}:
                return
            found.append(_refused(method, signature, 1, len(node.args), arguments.keywords))
        if found and found[0] is not None and None not in found:
            found[0].place = reader.place(node)
            self.refuse(reader, node, found[0])


@dataclass(frozen=True, slots=True)
class Signature:
    """What a function takes: by position, by name, what it needs, and whether it takes any number or any name beyond."""

    taken: tuple[str, ...]
    by_name: frozenset[str]
    needed: tuple[str, ...]
    any_number: bool
    any_name: bool


def judge_call(reader: Reader, function: Function, arguments: Arguments, node: ast.AST) -> bool:
    """Notes a call that Python refuses; true for one."""
    refusals = reader.refusals
    if not isinstance(node, ast.Call) or refusals.guarded or not arguments.exact:
        return False
    signature = _taken(refusals, function)
    if function.name in called.METHODS and function.owner is not None and not called.answers(reader, function, arguments.positional[:1], node):
        return False
    if node in refusals.unpacked:
        refusals.unpacked[node].append(function)
    if signature is None:
        return False
    count, keywords = len(node.args), arguments.keywords
    bound = len(arguments.positional) - count  # the receiver
    refusals.handed.look(reader, function, signature.taken[bound : bound + count], arguments.positional[bound:], keywords, node)
    fact = _refused(function, signature, bound, count, keywords)
    if fact is None or _chosen_for_another_way(reader, function, node) or _told_apart(reader, function, node):
        return False
    if function.owner is not None and _is_left_open(function.node):
        return False
    own = _overridden(reader, function, node)
    known = _taken(refusals, own) if own is not None else None
    if own is not None and known is not None and _refused(own, known, bound, count, keywords) is None:
        return False  # the method that the caller's class has takes them; when it is the other that is called, the derived class may see to
    fact.place = reader.place(node)
    refusals.refuse(reader, node, fact)
    return True


def judge_unpacking(reader: Reader, node: ast.Assign) -> None:
    """Notes a call whose values are unpacked into another number of names than its function returns on any way."""
    refusals, target, called = reader.refusals, node.targets[0], node.value
    functions = refusals.unpacked.pop(called, ()) if isinstance(called, ast.Call) else ()
    if isinstance(called, ast.Call):
        functions = [function for function in functions if not _chosen_for_another_way(reader, function, called)]
    if not functions or refusals.guarded or not isinstance(target, (ast.Tuple, ast.List)) or not isinstance(called, ast.Call):
        return
    for function in functions:
        if function not in refusals.counts:
            refusals.counts[function] = returned(function)
    counts = [refusals.counts[function] for function in functions]
    starred = any(isinstance(element, ast.Starred) for element in target.elts)
    if starred or not all(counts) or any(len(target.elts) in of_one for of_one in counts):
        return
    function, given = functions[0], max(counts[0])
    fact = RefusedCall(
        reader.place(node), callee=_name(function), defined=function.module.place(function.node), given=given, unpacked=len(target.elts)
    )
    refusals.refuse(reader, called, fact)


def returned(function: Function) -> frozenset[int]:
    """How many values a function returns, where every return says it."""
    node = function.node
    if isinstance(node, (ast.Lambda, ast.AsyncFunctionDef)) or not _as_defined(function) or node.decorator_list:
        return frozenset()
    if scopes.declared(node, function.module.lines).yields:
        return frozenset()
    found: set[int] = set()
    for inner in scopes.statements(node.body):
        if isinstance(inner, ast.Return):
            if not isinstance(inner.value, ast.Tuple) or any(isinstance(element, ast.Starred) for element in inner.value.elts):
                return frozenset()
            found.add(len(inner.value.elts))
    return frozenset(found)


def _taken(refusals: Refusals, function: Function) -> Signature | None:
    if function not in refusals.signatures:
        refusals.signatures[function] = _signature(function) if _as_defined(function) else None
    return refusals.signatures[function]


def _refused(function: Function, signature: Signature, bound: int, count: int, keywords: dict[str, Value]) -> RefusedCall | None:
    """What is wrong with a call of so many arguments behind those that are bound, and these keywords; None for one that fits."""
    filled = signature.taken[bound : bound + count]
    missing = [name for name in signature.needed if name not in keywords and name not in filled and name not in signature.taken[:bound]]
    unexpected = [name for name in keywords if name not in signature.by_name] if keywords and not signature.any_name else []
    twice = [name for name in filled if name in keywords and name in signature.by_name] if keywords else []
    if not missing and not unexpected and not twice and (count <= len(filled) or signature.any_number):
        return None
    return RefusedCall(
        function.module.place(function.node), callee=_name(function), defined=function.module.place(function.node), given=count,
        taken=signature.taken[bound:], missing=tuple(missing), unexpected=tuple(unexpected), twice=tuple(twice),
    )  # fmt: skip


def _chosen_for_another_way(reader: Reader, function: Function, node: ast.Call) -> bool:
    """True in an arm that is not surely taken, for what the default of a setting chose: the arm may be that of the other choices."""
    chosen = reader.refusals.by_default
    if not chosen or all(label == "default" for _, label in reader.conditions) or not (function in chosen or function.owner in chosen):
        return False
    return not (isinstance(node.func, ast.Name) and node.func.id == _name(function))  # else it is called by its own name


def _told_apart(reader: Reader, function: Function, node: ast.Call) -> bool:
    """True for an object that was handed in, and that the other arm of an open test calls with other arguments: the arm goes with the object."""
    around = reader.frame.function.node if isinstance(reader.frame.function, Function) else None
    if function.name not in called.METHODS or around is None or all(label not in OPEN for _, label in reader.conditions):
        return False
    thing, given = ast.unparse(node.func), {parameter.arg for parameter in (*around.args.args, *around.args.kwonlyargs)}
    if thing.partition(".")[0] not in given:
        return False
    for test in (inner for inner in ast.walk(around) if isinstance(inner, ast.If)):
        one, other = ([inner for line in arm for inner in ast.walk(line) if isinstance(inner, ast.Call)] for arm in (test.body, test.orelse))
        beside = other if node in one else one if node in other else []
        if any(ast.unparse(call.func) == thing and _given(call) != _given(node) for call in beside):
            return True
    return False


def _given(call: ast.Call) -> tuple[int, set[str | None]]:
    return len(call.args), {keyword.arg for keyword in call.keywords}


def _overridden(reader: Reader, function: Function, node: ast.Call) -> Function | None:
    """The method that the class of the calling code has itself, where it is a derived class's that is called."""
    caller, owner = reader.frame.owner, function.owner
    if caller is None or owner is None or caller is owner or caller not in owner.mro or not isinstance(node.func, ast.Attribute):
        return None
    own = classes.class_lookup(reader, caller, function.name)
    return own if isinstance(own, Function) else None


def _signature(function: Function) -> Signature:
    spec = function.node.args
    taken, named = [parameter.arg for parameter in (*spec.posonlyargs, *spec.args)], [parameter.arg for parameter in spec.kwonlyargs]
    by_name = frozenset((*taken[len(spec.posonlyargs) :], *named))
    needed = tuple(name for name in (*taken, *named) if name not in function.defaults)
    return Signature(tuple(taken), by_name, needed, spec.vararg is not None, spec.kwarg is not None)


def under(reader: Reader, fact: Fact) -> None:
    """Notes the conditions that it stands under."""
    texts = [text for text, label in reader.conditions if label != "default"]
    fact.when = texts[-1] if texts else None
    fact.flag_off = any(label == "flag" for _, label in reader.conditions)


def _name(function: Function) -> str:
    """How the function is called: a constructor by its class, what an object is called by with its class."""
    owner = function.owner
    if owner is not None and function.name in called.METHODS:
        return f"{owner.node.name}.{function.name}"
    return owner.node.name if function.name == "__init__" and owner is not None else function.name


def _as_defined(function: Function) -> bool:
    """True for a function that takes what its definition says."""
    node = function.node
    owner = function.owner
    if isinstance(node, ast.Lambda) or function.injected:
        return False
    if function.name == "__init__" and owner is not None:
        if any("__new__" in base.namespace or base.node.decorator_list or base.node.keywords for base in owner.mro if isinstance(base, Class)):
            return False
    texts = (ast.unparse(item.func if isinstance(item, ast.Call) else item) for item in node.decorator_list)
    return all(text in KEEPING or text.rpartition(".")[2] in KEEPING for text in texts)


def _is_left_open(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> bool:
    """True for a method that is abstract, or raises NotImplementedError, or calls itself, and does nothing else: those of derived classes are called,
    which may take what they like."""
    if isinstance(node, ast.Lambda):
        return False
    if any(ast.unparse(decorator).rpartition(".")[2] == "abstractmethod" for decorator in node.decorator_list):
        return True
    last = node.body[-1]
    raised = last.exc.func if isinstance(last, ast.Raise) and isinstance(last.exc, ast.Call) else last.exc if isinstance(last, ast.Raise) else None
    alone = all(isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant) for line in node.body[:-1])
    return alone and ((isinstance(raised, ast.Name) and raised.id == "NotImplementedError") or _calls_itself(node))


def _calls_itself(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """True for a method that ends with a call of itself: no object is ever asked for it."""
    last, own = node.body[-1], node.args.args[0].arg if node.args.args else None
    called = last.value.func if isinstance(last, (ast.Return, ast.Expr)) and isinstance(last.value, ast.Call) else None
    if isinstance(called, ast.Name):
        return node.name in BY_ITSELF and called.id == own
    return isinstance(called, ast.Attribute) and called.attr == node.name and isinstance(called.value, ast.Name) and called.value.id == own
