"""Command-line flags made from options dataclasses: default, range and help are theirs."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import typing
from collections.abc import Callable
from typing import Annotated, Any, Literal

import typer

from napari_crlm_spa.core.options import Options
from napari_crlm_spa.core.slide import DECODER_CHOICES

#: Which library reads the slide, in every command that opens one.
Decoder = Annotated[
    str,
    typer.Option(
        help="Library that reads the slide; auto takes the quickest that can, see crlm-spa info",
        metavar="|".join(DECODER_CHOICES),
    ),
]


def with_options(
    name: str,
    options: type[Options],
    rename: dict[str, str] | None = None,
    prefix: str = "",
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Replace the parameter `name` of a command by one flag per field of `options`.

    Parameters
    ----------
    name
        The command's parameter that receives the finished options object.
    options
        The dataclass whose fields become flags.
    rename
        Flag names (with underscores) of fields whose own name would be taken or unclear.
    prefix
        Put before all other field names, with a dash. Nested options get no flags here; they
        are a parameter of their own.
    """
    flags = {
        (rename or {}).get(field.name, f"{prefix}_{field.name}" if prefix else field.name): field
        for field in dataclasses.fields(options)  # type: ignore[arg-type]
        if not isinstance(field.default, Options)
    }

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def run(*args: Any, **values: Any) -> Any:
            fields = {field.name: values.pop(flag) for flag, field in flags.items()}
            return command(*args, **values, **{name: options(**fields)})

        hints = typing.get_type_hints(options)
        parameters = [
            parameter.replace(annotation=typing.get_type_hints(command, include_extras=True)[key])
            for key, parameter in inspect.signature(command).parameters.items()
            if key != name
        ]
        parameters += [_flag(flag, field, hints[field.name]) for flag, field in flags.items()]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {each.name: each.annotation for each in parameters}
        return run

    return decorate


def _flag(flag: str, field: dataclasses.Field[Any], hint: Any) -> inspect.Parameter:
    unit, choices = field.metadata.get("unit", ""), field.metadata.get("choices", ())
    text = field.metadata["help"] + (f" [{unit}]" if unit else "")
    spelling = "--" + flag.replace("_", "-")
    panel = "Fine tuning" if field.metadata.get("advanced") else "Options"
    if hint in (bool, bool | None):  # None: unknown, which neither spelling says
        option = typer.Option(f"{spelling}/--no-{spelling[2:]}", help=text, rich_help_panel=panel)
    elif choices:
        hint = Literal[choices]
        option = typer.Option(spelling, help=text, rich_help_panel=panel)
    else:
        option = typer.Option(
            spelling,
            help=text,
            min=field.metadata.get("min"),
            max=field.metadata.get("max"),
            rich_help_panel=panel,
        )
    return inspect.Parameter(
        flag,
        inspect.Parameter.KEYWORD_ONLY,
        default=field.default,
        annotation=Annotated[hint, option],
    )
