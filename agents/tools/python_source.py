"""Checking Python source before it is written."""

import warnings

from agents.excerpt import one_line


def syntax_error(source: str, name: str) -> str | None:
    """What the compiler has against ``source``: line, column, message and the line itself; None where it compiles."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # As bytes, because the interpreter will read bytes: an encoding declared in the file counts.
            compile(source.encode(), name, "exec", dont_inherit=True)
    except SyntaxError as error:
        where = f"line {error.lineno}, column {error.offset}" if error.lineno else "the file"
        text = one_line(error.text or "")
        return f"{name}, {where}: {error.msg}" + (f"\n    {text}" if text else "")
    except UnicodeEncodeError as error:
        line = source.count("\n", 0, error.start) + 1
        return f"{name}, line {line}: a lone surrogate (\\u{ord(source[error.start]):04x}) is no character"
    except (RecursionError, MemoryError):
        return f"{name}: it is nested too deeply to compile"
    except (ValueError, OverflowError) as error:
        return f"{name}: {error}"
    return None
