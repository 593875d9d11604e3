"""The flow map as Markdown with a Mermaid diagram, which many sites show as a picture."""

from app.building_blocks.operations.flow import Flow, Node

_SHAPES = {
    "command": '["{}"]',
    "aggregate": '[("{}")]',
    "domain event": '("{}")',
    "converter": '[/"{}"/]',
    "topic": '{{{{"{}"}}}}',
    "consumer": '(["{}"])',
}


def as_markdown(service: str, flow: Flow) -> str:
    """A heading, the diagram, and how to read it."""
    names = {node: f"n{number}" for number, node in enumerate(flow.nodes)}
    lines = [f"    {names[node]}{_shape(node)}" for node in flow.nodes]
    lines += [f"    {names[start]} --> {names[end]}" for start, end in flow.edges]
    diagram = "\n".join(["flowchart LR", *lines])
    legend = "command -> aggregate -> domain event -> converter -> topic -> consumer -> command"
    return f"# The flow of {service}\n\n{legend}\n\n```mermaid\n{diagram}\n```\n"


def _shape(node: Node) -> str:
    return _SHAPES[node.kind].format(f"{node.feature}: {node.name}" if node.feature else node.name)
