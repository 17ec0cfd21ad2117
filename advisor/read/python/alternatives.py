"""Alternatives: the arms of a branch are executed from one state, and what they leave behind is joined."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from advisor.model.events import Arm, Branch, Condition, Node
from advisor.read.python import beside
from advisor.read.python.store import MISSING
from advisor.read.python.values import (
    LEFT_OUT,
    Constant,
    Instance,
    Opaque,
    Union,
    Value,
    join,
)

if TYPE_CHECKING:
    from advisor.read.python.conditions import Test
    from advisor.read.python.reader import Reader


def run(reader: Reader, node: ast.AST, condition: Condition | Test | None, arms: list[tuple[str, bool | None, Any]]) -> list[tuple[str | None, Any]]:
    """Executes alternatives from the same state and joins what they leave behind.

    `arms` are (label, taken when, thunk); a thunk gives (how it leaves, its value). The default path's arm stands first.
    """
    outer, mark, serial, mode = reader.block, reader.store.mark(), reader.serial, reader.grad_mode
    modes: list[str] = []
    results: list[tuple[str | None, Any]] = []
    written: list[tuple[str, str | None, dict[Any, Any]]] = []
    tree_arms: list[Arm] = []
    locals_id = id(reader.frame.names)
    text = condition.text if condition is not None else ""
    for label, taken, thunk in arms:
        nodes: list[Node] = []
        reader.block, reader.grad_mode = nodes, mode
        reader.conditions.append((f"not ({text})" if taken is False and text else text, label))
        try:
            status, value = thunk()
        finally:
            reader.conditions.pop()
            reader.block = outer
        writes = reader.store.undo(mark)
        results.append((status, value))
        tree_arms.append(Arm(label, nodes, taken))  # type: ignore[arg-type]
        if status == "raise":
            continue
        modes.append(reader.grad_mode)
        if status == "return":
            writes = {slot: write for slot, write in writes.items() if slot[0] != locals_id}
        written.append((label, status, writes))
    reader.grad_mode = mode if not modes else modes[0] if len(set(modes)) == 1 else "unknown"
    if any(arm.body for arm in tree_arms):
        asked = condition if condition is None or isinstance(condition, Condition) else condition.condition()
        outer.append(Branch(reader.place(node), asked, tree_arms))
    _merge(reader, written, serial, text if condition is not None else None)
    return results


def _merge(reader: Reader, written: list[tuple[str, str | None, dict[Any, Any]]], serial: int, when: str | None) -> None:
    if not any(writes for _, _, writes in written):
        return
    slots: dict[Any, tuple[dict[Any, Any], Any]] = {}
    for _, _, writes in written:
        for slot, (container, key, _) in writes.items():
            if slot not in slots:
                slots[slot] = (container, key)
    locals_id = id(reader.frame.names)
    every = [(label, writes) for label, _, writes in written]
    falling = [(label, writes) for label, status, writes in written if status != "return"]
    write = reader.store.write
    joined: dict[Any, tuple[dict[Any, Any], Any, Any]] = {}
    before: dict[Any, Any] = {}
    for slot, (container, key) in slots.items():
        takers = falling if slot[0] == locals_id and falling else every
        held = before[slot] = container.get(key, MISSING)
        present: list[Any] = []
        for label, writes in takers:
            option = writes[slot][2] if slot in writes else held
            if option is not MISSING:
                if label == "flag" and not present and takers[0][0] == "default" and isinstance(option, Constant):
                    present.append(Opaque(f"there is none unless {when}"))  # by default: what it is under a flag is not what it is in the run
                present.append(option)
        if not present:
            reader.store.delete(container, key)
        else:
            write(container, key, present[0] if len(present) == 1 else _join_slot(present, serial, when, takers[0][0] == "unknown"))
            if key == "items" and "exact" in container and any(present) and not all(present):
                write(container, "perhaps_empty", True)
            joined[slot] = container, key, container[key]
    if len(joined) > 1 and any(type(value) is Union for *_, value in joined.values()):
        left = [{slot: writes[slot][2] if slot in writes else before[slot] for slot in joined} for _, writes in falling or every]
        beside.note(left, joined)


def _join_slot(options: list[Any], serial: int, when: str | None, unsure: bool) -> Any:
    head = options[0]
    for option in options:
        if option is not head:
            break
    else:
        return head
    if isinstance(head, Value):
        values = [option for option in options if isinstance(option, Value)]
        same_slot(values, serial)
        return join(values, when, unsure)
    if any(type(option) is not type(head) for option in options):
        return head
    if isinstance(head, tuple):
        if not all(isinstance(item, Value) for option in options for item in option):
            return head
        longest = max(options, key=len)
        joined = []
        for index in range(len(longest)):
            joined.append(join([option[index] for option in options if index < len(option)], when))
        return tuple(joined)
    if isinstance(head, dict):
        if not all(isinstance(item, Value) for option in options for item in option.values()):
            return head
        keys = dict.fromkeys(key for option in options for key in option)
        first = options[1]
        same = {key for key, item in head.items() if first.get(key) is item} if len(options) == 2 else set[Any]()
        return {key: head[key] if key in same else join([option.get(key, LEFT_OUT) for option in options], when) for key in keys}
    if isinstance(head, bool):
        return all(options)
    return head


def same_slot(options: list[Value], serial: int) -> None:
    """Constructions that one name holds by a flag are one thing to the order rules."""
    flat = [
        member
        for option in options
        for member in (option.members if type(option) is Union else (option,))
        if type(member) is Instance and member.fact is not None
    ]
    if len(flat) < 2:
        return
    head = flat[0]
    for other in flat[1:]:
        if other.role == head.role and other.role in ("optimizer", "scheduler", "loader", "scaler", "loss", "module", "sampler"):
            assert head.fact is not None and other.fact is not None
            if max(other.serial, head.serial) > serial and other.fact.slot is not head.fact.slot:
                other.fact.slot.same_as = head.fact.slot


# --- variables -----------------------------------------------------------------------------------------------
