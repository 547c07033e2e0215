"""Check what a user gives as a model before any library tries to download it."""

from __future__ import annotations

from pathlib import Path

from rewards.errors import RaifError

EMBEDDED = "embedded"
_PARTS = {
    "weights": ("*.safetensors", "*.bin"),
    "tokenizer": ("tokenizer.json", "tokenizer_config.json", "*.model", "vocab.*"),
}


def check_model_path(path: str) -> None:
    """Refuse a local folder that does not exist or holds no model; a hub name such as `org/model` passes."""
    folder = Path(path)
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            raise RaifError(f"{path} holds no model (no config.json); give a folder written by save_pretrained.")
        for what, patterns in _PARTS.items():
            if not any(any(folder.glob(pattern)) for pattern in patterns):
                raise RaifError(f"{path} holds no {what} ({', '.join(patterns)}); copy the whole folder of the model.")
        return
    looks_local = path.startswith((".", "/", "~")) or path.count("/") != 1 or folder.parent.is_dir()
    if looks_local:
        raise RaifError(
            f"no model folder at {path!r}; give an existing folder, or a hub name such as Qwen/Qwen2.5-1.5B-Instruct "
            f"(training and ablations also take {EMBEDDED!r})."
        )
