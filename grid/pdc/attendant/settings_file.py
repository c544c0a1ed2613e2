"""openPDC's settings file, openPDC.exe.config: the database, the node, and what a container needs.

openPDC reads `<categorizedSettings>`: a section of its own for each part of the program, with a
line `<add name="..." value="..." encrypted="false" />` a setting. It writes the file too, so it
lies in a folder that openPDC may write to.
"""

import xml.etree.ElementTree as ET
from pathlib import Path

from grid.pdc.openpdc.database import Login

NAME = "openPDC.exe.config"

_PROVIDER = (
    # Without a version: the Connector/NET that lies beside the program.
    "AssemblyName={MySql.Data}; ConnectionType=MySql.Data.MySqlClient.MySqlConnection; "
    "AdapterType=MySql.Data.MySqlClient.MySqlDataAdapter"
)
_SECTION = {
    "name": "categorizedSettings",
    "type": "GSF.Configuration.CategorizedSettingsSection, GSF.Core",
}
_HERE = "interface=127.0.0.1"
"""Of ports that nothing outside the pod has a use for."""


class SettingsFileError(Exception):
    """The settings file cannot be used; the message says why and what to do."""


def settings(login: Login, node: str) -> dict[str, dict[str, str]]:
    """Return the settings by section, for the node of this ID in `login`'s database."""
    return {
        "systemSettings": {
            "ConfigurationType": "Database",
            # Connector/NET 6.9 ends with TLS 1.1, which MySQL 8 no longer takes.
            "ConnectionString": f"Server={login.host}; Port={login.port}; "
            f"Database={login.database}; Uid={login.user}; Pwd={login.password}; SslMode=None; "
            "AllowPublicKeyRetrieval=true; allow user variables=true",
            "DataProviderString": _PROVIDER,
            "NodeID": node,
            "ProcessPriority": "Normal",
            "OptimizeLocalHistorianSettings": "False",
        },
        # Without a certificate its console takes anybody, so it is for this pod alone.
        "remotingServer": {
            "ConfigurationString": f"Port=8500; {_HERE}",
            "EnabledSslProtocols": "None",
        },
        "serviceHelper": {"SecureRemoteInteractions": "False", "MonitorServiceHealth": "False"},
        "internaldatapublisher": {"ConfigurationString": f"port=6165; {_HERE}"},
        "externaldatapublisher": {"ConfigurationString": f"port=6166; {_HERE}"},
        "tlsdatapublisher": {"ConfigurationString": f"port=6167; {_HERE}"},
    }


def write(folder: Path, login: Login, node: str) -> Path:
    """Put the settings into the file of `folder`; what else it says stays.

    Returns the file's path. SettingsFileError where the file there is no settings file, or
    cannot be written.
    """
    path = folder / NAME
    try:
        root = ET.parse(path).getroot() if path.exists() else ET.Element("configuration")  # noqa: S314 - openPDC's own
        _put(root, settings(login, node))
        part = path.with_suffix(".part")
        part.touch(mode=0o600)
        ET.ElementTree(root).write(part, encoding="utf-8", xml_declaration=True)
        part.replace(path)
    except ET.ParseError as error:
        raise SettingsFileError(
            f"{path} is no XML file: {error}. Delete it, or put openPDC's own in its place"
        ) from error
    except OSError as error:
        raise SettingsFileError(
            f"{path} cannot be written: {error.strerror}. Name the folder that openPDC runs in"
        ) from error
    return path


def _put(root: ET.Element, wanted: dict[str, dict[str, str]]) -> None:
    sections = _child(root, "configSections", first=True)
    if not any(one.get("name") == _SECTION["name"] for one in sections):
        ET.SubElement(sections, "section", _SECTION)
    categories = _child(root, "categorizedSettings")
    for section, values in wanted.items():
        lines = _child(categories, section)
        present = {line.get("name"): line for line in lines.findall("add")}
        for name, value in values.items():
            line = present.get(name)
            if line is None:
                line = ET.SubElement(lines, "add", {"name": name})
            line.set("value", value)
            line.set("encrypted", "false")


def _child(parent: ET.Element, tag: str, *, first: bool = False) -> ET.Element:
    found = parent.find(tag)
    if found is None:
        found = ET.Element(tag)
        # .NET wants configSections before everything else.
        parent.insert(0 if first else len(parent), found)
    return found
