"""Settings: a TOML file, the environment over it, defaults under it.

The environment is an argument: only the outermost edge reads `os.environ`.
"""

from schedulerd.config.loading import base_folder, find_settings_file, load_settings
from schedulerd.config.settings import OnStop, Settings, StoreSettings, WebSettings

__all__ = [
    "OnStop",
    "Settings",
    "StoreSettings",
    "WebSettings",
    "base_folder",
    "find_settings_file",
    "load_settings",
]
