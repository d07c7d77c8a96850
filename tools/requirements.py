"""Print what the package and some of its extras require (`--only`: the extras alone), as pyproject.toml lists it."""

import sys
import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).resolve().parents[1] / "pyproject.toml").read_text())["project"]
extras = [extra for extra in sys.argv[1:] if extra != "--only"]
own = [] if "--only" in sys.argv else project["dependencies"]
for requirement in own + [r for extra in extras for r in project["optional-dependencies"][extra]]:
    print(requirement)
