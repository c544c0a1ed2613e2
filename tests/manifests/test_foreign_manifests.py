"""The manifests of openPDC and of iPDC's simulator, which take the place of the kit's own."""

from tests.manifests.built import Object, of_kind


def test_openpdc_is_told_its_database_by_a_file_and_has_an_attendant(
    objects: list[Object], foreign: tuple[str, ...]
) -> None:
    if "openpdc" not in foreign:
        return
    for level in ("lower", "higher"):
        pod = of_kind(objects, "Deployment")[f"pdc-{level}"]["spec"]["template"]["spec"]
        # The program is there before its settings are put into the file that it brings.
        assert [one["name"] for one in pod["initContainers"]] == ["program", "init"]
        openpdc, attendant = pod["containers"]
        assert "env" not in openpdc
        known = {one["name"]: one.get("value") for one in attendant["env"]}
        assert known["DB_NAME"] == known["DB_USER"] == level
        folders = [
            mount["mountPath"]
            for container in (*pod["initContainers"], openpdc, attendant)
            for mount in container["volumeMounts"]
            if mount["name"] == "openpdc"
        ]
        assert folders == ["/var/lib/openpdc"] * 4
        # The kubelet asks the attendant, which is in the same pod.
        assert openpdc["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "metrics"}
        assert "--metrics-port=9712" in attendant["args"]


def test_ipdcs_simulator_is_set_up_for_the_pmu_whose_place_it_takes(
    objects: list[Object], foreign: tuple[str, ...]
) -> None:
    for name in ("pmu-1", "pmu-2", "pmu-3"):
        pod = of_kind(objects, "Deployment")[name]["spec"]["template"]["spec"]
        (pmu,) = pod["containers"]
        (writer,) = pod["initContainers"] if "ipdc" in foreign else [pmu]
        # Either way the pod's name says which PMU of which scenario it is.
        assert {"--scenario=two-area", "--pmu=$(PMU_NAME)", "--port=4712"} <= {*writer["args"]}
        assert [one["name"] for one in writer["env"]] == ["PMU_NAME"]
        assert pmu["ports"][0] == {"name": "c37118", "containerPort": 4712}
        if "ipdc" not in foreign:
            continue
        assert writer["args"][-1] == f"{pmu['workingDir']}/pmu.bin"
        assert pmu["command"][-1].endswith("exec PMU -i pmu.bin")
        assert "args" not in pmu
        # A connection costs it a socket for ever, and it serves no metrics.
        assert not {"readinessProbe", "livenessProbe"} & pmu.keys()
        assert len(pmu["ports"]) == 1
        mounts = {one["volumeMounts"][0]["mountPath"] for one in (writer, pmu)}
        assert mounts == {pmu["workingDir"]}
