"""Plain data as YAML text that every reader takes for the same values."""

from __future__ import annotations

from typing import Any

import yaml

from experiments.yaml12 import add_core_schema


class _Dumper(yaml.SafeDumper):
    """PyYAML's emitter, which quotes a string that YAML 1.1 or 1.2 takes for something else."""

    def ignore_aliases(self, _: Any) -> bool:
        return True


def _string(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = None if text.isprintable() else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.yaml_implicit_resolvers = {
    first: list(resolvers) for first, resolvers in yaml.SafeDumper.yaml_implicit_resolvers.items()
}
add_core_schema(_Dumper)
_Dumper.add_representer(str, _string)


def dump(data: Any) -> str:
    """YAML text that `experiments.yaml12.parse` reads back as exactly the same data.

    Takes what a YAML file can hold: mappings with string keys, lists, strings, numbers, truth
    values and null. Anything else raises `yaml.representer.RepresenterError`.
    """
    text: str = yaml.dump(
        data,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=100,
        default_flow_style=None,
    )
    return text
