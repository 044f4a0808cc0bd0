"""What ships with the package: one folder a preset, and a sample photo."""

import json
import os
from pathlib import Path

_FOLDER = Path(__file__).parent
_DEFAULT = "restorer_small"
_HANDLES = ("hf://", "kaggle://", "gs://", "modelscope://")
# The libraries whose classes a preset may name; everything else could be code.
_TRUSTED = ("keras", "keras_hub", "tfimg")
_UNTRUSTED_CLASSES = (
    "__lambda__",
    "Lambda",
    "TorchModuleWrapper",
    "TFSMLayer",
    "JaxLayer",
    "FlaxLayer",
)


def names() -> list[str]:
    """Returns the names of the bundled presets."""
    return sorted(path.parent.name for path in _FOLDER.glob("*/config.json"))


def restorers() -> list[str]:
    """Returns the names of the bundled presets that restore pictures."""
    return [name for name in names() if "ImageRestorer" in card(name)["task"]]


def default() -> str:
    """Returns the name of the preset that is used where none is given.

    Raises:
        ValueError: if no preset is bundled.
    """
    if _DEFAULT not in names():
        raise ValueError(f"the preset {_DEFAULT!r} is missing from this installation")
    return _DEFAULT


def card(name: str) -> dict:
    """Returns what the card of a bundled preset says, as a dict.

    Raises:
        ValueError: for an unknown name.
    """
    folder = Path(resolve(name))
    path = folder / "card.json"
    if not path.is_file():
        raise ValueError(f"preset {name!r} has no card.json")
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return {**json.loads(path.read_text(encoding="utf-8")), "size": size}


def sample_path() -> Path:
    """Returns the path of the sample photo that the demo restores."""
    return _FOLDER / "sample.png"


def resolve(preset: str | os.PathLike) -> str:
    """Returns what KerasHub can load for a bundled name, a folder or a handle.

    What is behind a handle is not here yet and cannot be looked at: there, Keras' own safe mode is
    all that keeps a configuration from naming code.

    Args:
        preset: a bundled name, a folder, or a handle such as `"hf://user/model"`.

    Raises:
        ValueError: if it is none of these, if the folder is incomplete, or if a configuration in
            the folder names a class that could run code.
    """
    preset = os.fspath(preset)
    if preset.startswith(_HANDLES):
        return preset
    folder = _FOLDER / preset if preset in names() else Path(preset)
    if not folder.is_dir():
        raise ValueError(
            f"unknown preset {preset!r}; expected one of {names()}, a folder, or a handle such as "
            "hf://user/model"
        )
    for needed in ("config.json", "model.weights.h5"):
        if not (folder / needed).is_file():
            raise ValueError(f"broken preset {preset!r}: {needed} is missing")
    for path in sorted(folder.glob("*.json")):
        try:
            config = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"broken preset {preset!r}: {path.name}: {error}") from error
        _refuse_code(config, f"{preset}/{path.name}")
    return str(folder)


def _refuse_code(config, where):
    if isinstance(config, list):
        for value in config:
            _refuse_code(value, where)
    if not isinstance(config, dict):
        return
    module = config.get("module") if "class_name" in config else None
    trusted = module is None or str(module).split(".")[0] in _TRUSTED
    # A class can also be named by a path, such as "layers.Lambda" of the module "keras".
    if not trusted or str(config.get("class_name")).split(".")[-1] in _UNTRUSTED_CLASSES:
        raise ValueError(
            f"refused preset {where}: it names {module}.{config['class_name']}, and a preset may "
            f"only name classes of {', '.join(_TRUSTED)}"
        )
    for value in config.values():
        _refuse_code(value, where)
