"""Everything that a release does with the engine works through the proxy, with the deployer's own code."""

import docker
import pytest
from proxied import Proxied

pytestmark = pytest.mark.docker


def test_the_image_that_was_built_carries_the_label(proxied: Proxied) -> None:
    image = proxied.engine.images.get(proxied.image.id)
    assert image.labels["esteira.home"] == proxied.home
    assert image.labels["esteira.case"] == "proxied"


def test_a_container_lives_its_whole_life(proxied: Proxied) -> None:
    (started,) = proxied.target.start(proxied.build, 1)
    assert proxied.target.is_running(started)
    seen = proxied.engine.containers.get(started.handle)
    assert [mount["Name"] for mount in seen.attrs["Mounts"]] == [proxied.volume]
    assert seen.attrs["HostConfig"]["NetworkMode"] == "none"
    assert [one.id for one in proxied.target.instances("proxied")] == [started.id]
    proxied.engine.containers.get(started.handle).kill("KILL")
    again = proxied.target.revive(started)
    assert again.running
    assert isinstance(proxied.target.last_lines(started), str)
    proxied.client.containers.get(started.handle).stop(timeout=5)
    assert not proxied.target.is_running(started)
    proxied.target.remove(started)
    assert proxied.target.instances("proxied") == []


def test_lists_show_what_is_ours_and_nothing_else(proxied: Proxied) -> None:
    assert proxied.client.containers.list(all=True, filters={"label": ["esteira.role=api"]}) == []
    assert {image.id for image in proxied.client.images.list()} == {proxied.image.id}
    strangers = proxied.client.images.list(filters={"label": ["esteira.home=another"]})
    assert strangers == []


def test_a_long_log_comes_whole(proxied: Proxied) -> None:
    container = proxied.create()
    try:
        container.start()
        assert proxied.client.containers.get(container.id).logs(tail=5, stream=False) is not None
        follow = container.logs(stream=True, follow=True)
        container.kill()
        assert isinstance(b"".join(follow), bytes)
    finally:
        container.remove(force=True, v=True)


def test_what_does_not_exist_is_told_as_the_engine_tells_it(proxied: Proxied) -> None:
    with pytest.raises(docker.errors.NotFound, match="No such container: nobody"):
        proxied.client.containers.get("nobody")
    with pytest.raises(docker.errors.ImageNotFound):
        proxied.client.images.get("esteira-proxied:v999")


def test_an_image_is_removed_once_no_container_needs_it(proxied: Proxied) -> None:
    container = proxied.create()
    with pytest.raises(docker.errors.APIError, match="conflict"):
        proxied.client.images.remove(proxied.image.id)
    container.remove(v=True)
