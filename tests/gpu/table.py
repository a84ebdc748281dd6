"""The checks, in the order in which they run."""

from tests.gpu.check import Check

CHECKS = (
    Check(
        number=0,
        name="preflight",
        limit_s=60,
        work="tests.gpu.checks.machine:preflight",
        criterion="driver, kernels, arithmetic, compiler, caches, shared memory, persistence mode are there",
        remedy="docs/gpu.md, What it needs; /dev/shm: shm_size of the container; `nvidia-smi -pm 1`",
        cpu="compiler, caches and shared memory",
    ),
    Check(
        number=1,
        name="fork safety",
        limit_s=120,
        work="tests.gpu.checks.isolation:fork_safety",
        criterion="two children in turn use CUDA; the worker and its server of children never do",
        remedy="something that workers.runs.training_child imports makes CUDA ready: import in halves",
        cpu="the same with a stub of the driver that notes who makes it ready",
    ),
    Check(
        number=2,
        name="device classes",
        limit_s=180,
        work="tests.gpu.checks.isolation:device_classes",
        criterion="no GPU, or an old driver: a GPU worker refuses and says why; a cpu run stays off the GPU",
        remedy="workers/devices/cuda.py and workers/process/environment.py decide what is seen and said",
        cpu="the refusals, with hidden GPUs and a stub of an old driver, and a run of the class cpu",
    ),
    Check(
        number=3,
        name="losses",
        limit_s=180,
        work="tests.gpu.checks.losses:losses",
        criterion="value within 1e-4 (bf16 1e-3), gradient's cosine > 0.999 and norm within 1 % of float64's",
        remedy="the loss that is named computes in 16 bits, or by a form for GPUs that is not the same",
        cpu="the same at 192 px x 2",
    ),
    Check(
        number=4,
        name="architectures",
        limit_s=300,
        work="tests.gpu.checks.networks:architectures",
        criterion="finite, the loss falls by more than 20 %; CPU = GPU; synchronised norms change nothing",
        remedy="leave the pair that is named to float32, or report it with results.json",
        cpu="each architecture with one encoder in float32",
    ),
    Check(
        number=5,
        name="optimizers",
        limit_s=120,
        work="tests.gpu.checks.networks:optimizers",
        criterion="weights are finite and all of them move, in bf16 and in fp16 with scaler and clipping",
        remedy="do not use the optimizer that is named in that precision; report it with results.json",
        cpu="in bf16",
    ),
    Check(
        number=6,
        name="served run",
        limit_s=300,
        work="tests.gpu.checks.service:served_run",
        criterion=(
            "device named right; report's mIoU = best.ckpt's within 0.002; ONNX = torch; no operation"
            " on the CPU"
        ),
        remedy="the run's log under var/gpu names the operation or the file",
        cpu="the same at 64 px on the class cpu",
    ),
    Check(
        number=7,
        name="control",
        limit_s=300,
        work="tests.gpu.checks.control:control",
        criterion=(
            "stop < 2 s beyond a batch; targets move both ways; losses after a resume = unbroken within 1e-3"
        ),
        remedy="storage may be slow (docs/operating.md); losses: an operation without a deterministic form",
        cpu="the same at 64 px; not from one device to another",
    ),
    Check(
        number=8,
        name="kills",
        limit_s=420,
        work="tests.gpu.checks.survival:kills",
        criterion=(
            "the card's memory is back < 3 s after SIGKILL, no process is left, the run goes on, "
            "`auto` finds the same"
        ),
        remedy=(
            "another process uses the card: look with nvidia-smi; else a loader process outlives its parent"
        ),
        cpu="processes and attempts; not the memory of a card",
    ),
    Check(
        number=9,
        name="pauses",
        limit_s=420,
        work="tests.gpu.checks.survival:pauses",
        criterion=(
            "the guard halts the run, it goes on or goes to another worker, and its metrics are unchanged"
        ),
        remedy="a paused process keeps its memory on the card: keep neighbours off it",
        cpu="with a short pause, and no neighbour",
    ),
    Check(
        number=10,
        name="memory",
        limit_s=300,
        work="tests.gpu.checks.memory:memory",
        criterion=(
            "too large: halved and completed, < 1 GiB reserved at the second build; impossible: "
            "cuda_out_of_memory; `auto` within its budget"
        ),
        remedy="smaller images or batches; no neighbours on the card",
        cpu="with a step that refuses large batches",
    ),
    Check(
        number=11,
        name="faults",
        limit_s=420,
        work="tests.gpu.checks.faults:faults",
        criterion=(
            "device_fault or cuda_out_of_memory; the run waits again; nothing is claimed until the GPU passes"
        ),
        remedy="a text that is not known yet belongs into workers/process/error_texts.py",
        cpu="the same with errors raised instead of a real device assert",
    ),
    Check(
        number=12,
        name="waits",
        limit_s=240,
        work="tests.gpu.checks.steps:syncs",
        criterion="<= 1 wait for the device a step, with each loss; loss and scores <= 5 % of a step",
        remedy="a loss or a score reads numbers back, or is summed on few addresses (docs/gpu.md, Details)",
        cpu="counts operations that would wait, judges nothing",
    ),
    Check(
        number=13,
        name="speed",
        limit_s=420,
        work="tests.gpu.checks.speed:speed",
        criterion=(
            "resident >= 0.97 of the expert's loop; as shipped: wait for data < 10 %, GPU busy >= 85 "
            "%, quicker than the script"
        ),
        remedy="more loader_workers, more cores or a lighter preset; a neighbour on the card",
        cpu="all sides at 64 px, judges nothing",
    ),
    Check(
        number=14,
        name="loading",
        limit_s=300,
        work="tests.gpu.checks.speed:loading",
        criterion="`auto` within 5 % of the best number; a small /dev/shm: a notice and no crash",
        remedy="set loader_workers by the figures; shm_size of the container",
        cpu="0 and 2 processes, and a small /dev/shm",
    ),
    Check(
        number=15,
        name="compile",
        limit_s=420,
        work="tests.gpu.checks.compiling:compiling",
        criterion=(
            "<= 6 compiled forms, first step < 120 s, >= 1.05 of eager; without a C compiler: a "
            "notice, and eager"
        ),
        remedy="leave compile: false; install a C compiler",
        cpu="forms by a backend that builds no code, and the notice",
    ),
    Check(
        number=16,
        name="checkpoints",
        limit_s=300,
        work="tests.gpu.checks.saving:checkpoints",
        criterion="stall < 0.5 of torch.save; left within the worker's own time at 200 MB/s",
        remedy="faster storage; fewer checkpoints (checkpoints.every_epochs)",
        cpu="one small network",
    ),
    Check(
        number=17,
        name="finishing",
        limit_s=600,
        work="tests.gpu.checks.saving:finishing",
        criterion="from the last epoch to completed <= 0.3 of training; the card is free in its later half",
        remedy="fewer exports (export.half, export.int8), fewer validation images",
        cpu="at 64 px, judges nothing",
    ),
    Check(
        number=18,
        name="two workers",
        limit_s=420,
        work="tests.gpu.checks.service:two_workers",
        criterion="both runs complete without a lost attempt, together as quick as one",
        remedy="give each worker a GPU of its own (docs/gpu.md)",
        cpu="two workers that share the cores",
    ),
    Check(
        number=19,
        name="several devices",
        limit_s=420,
        work="tests.gpu.checks.several_devices:several_devices",
        criterion=(
            "two = one within 0.01; each failure is told < 30 s; half the batch is tried; nothing left < 5 s"
        ),
        remedy="train on one device; report with results.json and the run's log",
        cpu="two processes over gloo",
    ),
    Check(
        number=20,
        name="classification",
        limit_s=240,
        work="tests.gpu.checks.tasks:classification",
        criterion="both forms learn in each precision; ONNX = torch; <= 1 wait for the device a step",
        remedy="leave the encoder that is named to float32, or report it with results.json",
        cpu="one encoder in float32",
    ),
    Check(
        number=21,
        name="detection",
        limit_s=420,
        work="tests.gpu.checks.tasks:detection",
        criterion="each detector learns in each precision, finite; its detections by ONNX = by torch",
        remedy="leave the detector that is named to float32, or report it with results.json",
        cpu="each at 64 px in float32",
    ),
    Check(
        number=22,
        name="augmentation",
        limit_s=180,
        work="tests.gpu.checks.augmentation:augmentation",
        criterion="images and masks are those of the CPU; no wait for the device; <= 5 ms for 16 of 512 px",
        remedy="leave augmentation.device: cpu; report the transform that is named with results.json",
        cpu="the same at 96 px, with the CPU as the device",
    ),
)
