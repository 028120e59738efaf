"""The drill of docs/operations.md: dump, wipe, restore, and what `clipcut fsck` says before and after something is broken by hand."""

from node import site
from node.failure import Failure
from node.report import say
from proofs import media
from proofs.api import Api

# Tables, and what FerretDB keeps of GridFS: with a MongoDB server the second one is mongodump's.
_DATABASES = ("clipcut", "media")
_PSQL = ("psql", "--username", "clipcut", "--no-align", "--tuples-only", "--quiet", "--set", "ON_ERROR_STOP=1")


def prove(cluster):
    """Drills a restore, then breaks a blob and a row."""
    kubectl = cluster.kubectl
    api = Api(cluster.url, cluster.token)
    videos = [video["id"] for video in api.json("/api/v1/videos?limit=50")["videos"] if video["state"] == "ready"]
    if not videos:
        raise Failure("there is no video to restore: run the proof `playback` before this one")
    for database in _DATABASES:
        _shell(kubectl, f"pg_dump --username clipcut --format=custom --file=/tmp/{database}.dump {database}")
    _stop(kubectl)
    for database in _DATABASES:
        _shell(kubectl, f"dropdb --username clipcut --force {database} && createdb --username clipcut {database}")
    say("dumped, then wiped")
    for database in _DATABASES:
        _shell(kubectl, f"pg_restore --username clipcut --dbname={database} --exit-on-error /tmp/{database}.dump")
    _go_on(kubectl)
    for video in videos:
        _play(api, video)
    clean = _fsck(kubectl)
    if "0 faults" not in clean:
        raise Failure("fsck finds faults after a restore", clean)
    say(f"restored: {len(videos)} videos play, and fsck says: {clean.splitlines()[-1]}")
    _break(kubectl)


def _stop(kubectl):
    """Ends the roles and FerretDB, whose connections would keep the databases."""
    for role in site.ROLES:
        kubectl.run("scale", f"deployment/{role}", "--replicas=0")
    kubectl.run("scale", "statefulset/mongodb", "--replicas=0")
    kubectl.run("wait", "--for=delete", "pod", "--selector", f"app.kubernetes.io/name in ({','.join(site.ROLES)})", "--timeout=90s")


def _go_on(kubectl):
    kubectl.run("scale", "statefulset/mongodb", "--replicas=1")
    kubectl.wait_for_rollout("statefulset/mongodb")
    for role, replicas in {"origin": 2, "accounts": 2, "packager": 1, "transcriber": 1, "edge": 2}.items():
        kubectl.run("scale", f"deployment/{role}", f"--replicas={replicas}")
    for role in site.ROLES:
        kubectl.wait_for_rollout(f"deployment/{role}")


def _play(api, video):
    for playlist in media.renditions(api, api.video(video)["playback"]["hls"]):
        for segment in media.segments(api, playlist):
            api.bytes(segment)


def _break(kubectl):
    """Damages one chunk and removes one row, and has fsck name both."""
    row = _sql(kubectl, "clipcut", "delete from segments where ctid = (select ctid from segments limit 1) returning video_id, rendition, number")
    table = _sql(kubectl, "media", "select table_name from information_schema.tables where table_schema = 'clipcut' and table_name like '%chunks%' limit 1")
    chunk = f'clipcut."{table}"'
    _sql(kubectl, "media", f"update {chunk} set _jsonb = jsonb_set(_jsonb, '{{data}}', to_jsonb(translate(_jsonb->>'data', 'AB', 'BA'))) "
         f"where ctid = (select ctid from {chunk} where length(_jsonb->>'data') > 10000 limit 1)")
    found = _fsck(kubectl)
    video, rendition, number = row.split("|")
    named = [line for line in found.splitlines() if line.startswith("unrecorded") and f"{video}/{rendition}/{number}" in line]
    damaged = [line for line in found.splitlines() if line.startswith("damaged")]
    if not named or not damaged:
        raise Failure(f"fsck does not name the removed row {row} and the damaged blob", found)
    say(f"fsck names both: {named[0]}; {damaged[0]}")


def _fsck(kubectl):
    pod = kubectl.pods("origin")[0]["metadata"]["name"]
    return kubectl.execute(pod, "sh", "-c", "clipcut fsck 2>&1 || true", seconds=300)


def _sql(kubectl, database, statement):
    return kubectl.execute("postgres-0", *_PSQL, "--dbname", database, "--command", statement).strip()


def _shell(kubectl, line):
    return kubectl.execute("postgres-0", "sh", "-c", line, seconds=300)
