"""The process that tries this worker's GPUs. It ends at once, and gives back what CUDA took for it."""

from workers.devices.cuda import cuda_facts, exercise, problem_of
from workers.process.child import Link, Message


def work(link: Link, _: Message) -> None:
    """Send up what was found of each GPU, or what is the matter and what to do."""
    facts = cuda_facts()
    if (problem := problem_of(facts)) is not None:
        link.send({"problem": problem.message, "remedy": problem.remedy})
        return
    for index, gpu in enumerate(facts.gpus):
        try:
            exercise(index)
        except RuntimeError as error:
            said = str(error).partition("\n")[0]
            link.send({"problem": f"GPU {index} ({gpu.name}) does not compute: {said}", "remedy": None})
            return
    link.send({"gpus": [[gpu.name, gpu.memory_bytes] for gpu in facts.gpus]})
