"""YAML read strictly: no key twice, no dates in disguise, and one kind of error, which names the place.

Apart from the settings, because it is about PyYAML, which keeps the last of two equal keys without a word, turns
2018-01-11 into a date, and lets through whatever its constructors raise.
"""

from __future__ import annotations

import yaml

SHOWN_CHARACTERS = 60
TIMESTAMP = "tag:yaml.org,2002:timestamp"


class Fault(ValueError):
    """What is wrong, in one line, and where: a dotted path, or empty for the document."""

    def __init__(self, path: str, what: str) -> None:
        super().__init__(shown(f"{path}: {what}" if path else what, 1000))


def shown(text: object, length: int = SHOWN_CHARACTERS) -> str:
    """A text as it may be put into a line: cut, without line breaks or control characters."""
    words = str(text)
    cut = words if len(words) <= length else words[: length - 3] + "..."
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in cut)


def below(path: str, key: object) -> str:
    """The path of a key under a path."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{shown(key)}" if path else shown(key)


def read(text: str) -> object:
    """The plain values in a document; None for an empty one. Raises Fault."""
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        if root is None:
            return None
        _refuse_keys_given_twice(root, "", set())
        return loader.construct_document(root)
    except Fault:
        raise
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "somewhere"
        raise Fault("", f"is not YAML, {where}: {error.problem}; correct it there or in the line before") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise Fault("", f"is not YAML, line {line}: it has a control character there; remove it") from None
    except RecursionError:
        raise Fault("", "is nested too deeply; the settings have four levels at most") from None
    except Exception as error:
        # `!!int ''` is an IndexError in PyYAML, `!!bool maybe` a KeyError, a number of 5000 digits a ValueError.
        raise Fault(
            "", f"has a value that is not what its YAML tag says ({type(error).__name__}); correct it"
        ) from None


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, but a date stays the text that it was."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != TIMESTAMP]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _refuse_keys_given_twice(node: yaml.Node, path: str, seen: set[int]) -> None:
    if id(node) in seen:  # an alias
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _refuse_keys_given_twice(item, below(path, index), seen)
    elif isinstance(node, yaml.MappingNode):
        keys = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue  # refused when the mapping is built
            place = below(path, key.value)
            if (key.tag, key.value) in keys:
                raise Fault(place, f"is given twice, the second time in line {key.start_mark.line + 1}; keep one")
            keys.add((key.tag, key.value))
            _refuse_keys_given_twice(value, place, seen)
