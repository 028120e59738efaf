"""A video's media as a player fetches it: the playlists, then every segment that they name."""

import re
from urllib.parse import urljoin


def renditions(api, master):
    """Returns the paths of the media playlists, by the URI that the multivariant playlist gives."""
    text = api.bytes(master).decode()
    pictures = [line for line in text.splitlines() if line and not line.startswith("#")]
    sounds = re.findall(r'TYPE=AUDIO.*?URI="([^"]+)"', text)
    return [urljoin(master, uri) for uri in pictures + sounds]


def segments(api, playlist):
    """Returns the paths of a rendition's init segment and of its segments."""
    text = api.bytes(playlist).decode()
    init = re.search(r'#EXT-X-MAP:URI="([^"]+)"', text).group(1)
    uris = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [urljoin(playlist, uri) for uri in [init, *uris]]


def fetch(api, playlist, path, seen=lambda: None):
    """Writes a whole rendition into a file and returns the number of its segments; `seen` is called after the first."""
    paths = segments(api, playlist)
    with path.open("wb") as file:
        for number, segment in enumerate(paths):
            file.write(api.bytes(segment))
            if number == 1:
                seen()
    return len(paths) - 1
