"""What every page begins with: configuration, login, navigation, header."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.components import badges, state
from pages.components.housekeeping import tidy
from pages.components.login import gate, who_is_in
from pages.components.sharing import share_panel
from pages.components.text import escaped
from pages.components.theme_watch import KEY, follow_theme
from pages.components.trouble import needs_database
from pages.components.widgets import told_apart
from scviz.errors import SettingsError
from scviz.settings import ROOT


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A place in the navigation."""

    file: str
    title: str
    icon: str
    question: str
    """What the page answers."""
    group: str
    task: str = ""
    """The task whose results it shows."""


PAGES = {
    "home": Page(
        file="app.py",
        title="Home",
        icon=":material/home:",
        question="What can I find out about my cells, and where do I start?",
        group="",
    ),
    "data": Page(
        file="pages/data.py",
        title="Data",
        icon=":material/table_chart:",
        question="What is in my file, and can a model read it?",
        group="Prepare",
    ),
    "qc": Page(
        file="pages/qc.py",
        title="QC",
        icon=":material/rule:",
        question="Which cells are good enough, and which types would I lose with the others?",
        group="Prepare",
        task="qc",
    ),
    "models": Page(
        file="pages/models.py",
        title="Models",
        icon=":material/neurology:",
        question="Which model can read my cells, and with which weights?",
        group="Prepare",
    ),
    "pretrain": Page(
        file="pages/pretrain.py",
        title="Pre-train",
        icon=":material/model_training:",
        question="Can a model learn from my own cells, without labels?",
        group="Prepare",
        task="pretraining",
    ),
    "explore": Page(
        file="pages/explore.py",
        title="Explore",
        icon=":material/scatter_plot:",
        question="How do my cells group, and do models see more than plain principal components?",
        group="Ask",
        task="embedding",
    ),
    "groups": Page(
        file="pages/groups.py",
        title="Groups",
        icon=":material/difference:",
        question="Which genes tell two groups of cells apart?",
        group="Ask",
        task="group_genes",
    ),
    "compare": Page(
        file="pages/compare.py",
        title="Compare",
        icon=":material/compare:",
        question="Where do models and plain principal components agree?",
        group="Ask",
        task="compare",
    ),
    "annotate": Page(
        file="pages/annotate.py",
        title="Annotate",
        icon=":material/label:",
        question="Which type is each cell, and does a model beat a simple method?",
        group="Ask",
        task="annotation",
    ),
    "conditions": Page(
        file="pages/conditions.py",
        title="Conditions",
        icon=":material/compare_arrows:",
        question="What differs between conditions, donor by donor?",
        group="Ask",
        task="conditions",
    ),
    "in_silico": Page(
        file="pages/in_silico.py",
        title="In-silico",
        icon=":material/genetics:",
        question="What happens in my cells if I remove a gene?",
        group="Ask",
        task="in_silico",
    ),
    "perturb": Page(
        file="pages/perturb.py",
        title="Perturb",
        icon=":material/experiment:",
        question="Can a method predict perturbations that my screen has not seen?",
        group="Ask",
        task="perturbation",
    ),
    "enhance": Page(
        file="pages/enhance.py",
        title="Enhance",
        icon=":material/deblur:",
        question="What would my cells look like with more reads?",
        group="Ask",
        task="enhancement",
    ),
    "modules": Page(
        file="pages/modules.py",
        title="Modules",
        icon=":material/bubble_chart:",
        question="Which genes work together, and is that more than co-expression?",
        group="Networks",
        task="modules",
    ),
    "attention": Page(
        file="pages/attention.py",
        title="Attention",
        icon=":material/visibility:",
        question="Which genes does a model let a regulator influence, and do binding data agree?",
        group="Networks",
        task="attention_network",
    ),
    "regulons": Page(
        file="pages/regulons.py",
        title="Regulons",
        icon=":material/account_tree:",
        question="Which regulators drive my cells, and is that more than co-expression?",
        group="Networks",
        task="scenic",
    ),
    "enrich": Page(
        file="pages/enrich.py",
        title="Enrich",
        icon=":material/category_search:",
        question="What do these genes have in common, and is that more than chance?",
        group="Networks",
        task="enrichment",
    ),
    "runs": Page(
        file="pages/runs.py",
        title="Runs",
        icon=":material/history:",
        question="What is running, what has finished, and how was it made?",
        group="Keep",
    ),
}
RESULT_PAGE = {page.task: name for name, page in PAGES.items() if page.task} | {
    "overview": "explore",
    "transfer": "annotate",
    "markers": "groups",
}
"""The page that shows the result of a task."""

STYLE = f"""<style>
.st-key-{KEY} {{display: none;}}
[data-testid="stMainBlockContainer"] {{padding: 1.6rem 2rem 2rem; max-width: 1500px;}}
[data-testid="stHeader"] {{height: 1.6rem; background: transparent;}}
[data-testid="stSidebar"][data-collapsed="false"] {{width: 13.5rem !important; min-width: 13.5rem !important;}}
[data-testid="stSidebarUserContent"] {{padding-top: 0;}}
[data-testid="stSidebarHeader"] {{height: 2.2rem; margin-bottom: 0;}}
.st-key-frame_header h2 {{padding: 0 0 .15rem;}}
[data-testid="stElementToolbar"] button[aria-label="Download as CSV"] {{display: none;}}
[data-testid="stCaptionContainer"] {{opacity: 1; color: color-mix(in srgb, currentcolor 64%, transparent);}}
[data-testid="stBaseButton-primary"]:enabled, [data-testid="stBaseButton-primaryFormSubmit"]:enabled,
[data-testid="stMultiSelect"] [data-tag] {{color: light-dark(#FFFFFF, #10151A) !important;}}
@media (max-width: 767px) {{[data-testid="stMainBlockContainer"] {{padding: 2.4rem .8rem 2rem;}}}}
</style>"""


def frame(name: str, *, pickers: bool = True) -> None:
    """Set a page up: call it first in every script.

    Parameters
    ----------
    name
        Which page, a key of PAGES.
    pickers
        Whether the header offers the choice of dataset and weights.
    """
    page = PAGES[name]
    st.set_page_config(
        page_title=f"{page.title} · scviz",
        page_icon=str(ROOT / "assets" / "logo.svg"),
        layout="wide",
        initial_sidebar_state="auto",  # open beside a wide page, closed over a narrow one
    )
    st.html(STYLE)
    follow_theme()
    state.catch_up(name)
    _settle(name)
    _gate()
    with needs_database():
        tidy()
        state.take_in_shipped()
        state.follow_run()
        _sidebar()
    with st.container(key="frame_header"):
        left, right = st.columns([5, 6], vertical_alignment="bottom")
        with left:
            st.header(page.title, anchor=False)
            st.caption(page.question)
        if pickers:
            with right:
                _pickers()


def _settle(name: str) -> None:
    """Take what a page has loaded out of garbage collection, once for each page.

    Streamlit collects after every run of a page, and of the panel that watches a run each second: 0.2 s of processor
    time over all that is loaded, taken from the model at work.
    """
    if name not in _settled:
        _settled.add(name)
        gc.collect()
        gc.freeze()


_settled: set[str] = set()


def _gate() -> None:
    """Stop where a setting is not understood; ask for a login where the server's owner wants one."""
    try:
        state.settings()
    except SettingsError as error:
        st.error(escaped(f"{error} {error.hint}"))
        st.stop()
    if state.settings().login:
        gate()


def _sidebar() -> None:
    with st.sidebar:
        st.image(str(ROOT / "assets" / "logo-name.svg"), width=132)
        if state.settings().demo:
            st.caption(
                "Demo server: what you upload and ask is yours alone, in this tab, and is deleted after an hour."
            )
        group = ""
        for page in PAGES.values():
            if page.group != group:
                group = page.group
                st.caption(group)
            st.page_link(
                page.file, label=page.title, icon=page.icon, query_params=state.link(), width="stretch"
            )
        running = [
            run
            for run in state.queue().runs(states=("queued", "running"), owner=state.owner())
            if run.task != "pricing"
        ]
        if running:
            st.divider()
            st.caption(f"{len(running)} {'run is' if len(running) == 1 else 'runs are'} under way")
        if state.settings().login:
            who_is_in(state.person())
            share_panel()


def _pickers() -> None:
    """Offer the datasets and weights that are here; the choice holds on every page."""
    dataset, checkpoint = state.current_dataset(), state.current_checkpoint()
    left, right = st.columns(2)
    if dataset is not None:
        label = f"Dataset {badges.SIMULATED}" if dataset.simulated else "Dataset"
        names = {info.id: f"{info.name} · {info.n_cells:,} cells" for info in state.workspace().datasets()}
        _picker(left, "dataset", names, label=label, current=dataset.id)
    if checkpoint is not None:
        names = {info.id: info.name for info in state.workspace().checkpoints()}
        label = f"Checkpoint {badges.DEMO_SHORT}" if checkpoint.demo else "Checkpoint"
        _picker(right, "checkpoint", names, label=label, current=checkpoint.id)


def _picker(place: DeltaGenerator, name: str, names: Mapping[str, str], *, label: str, current: str) -> None:
    """Show what is chosen and let another be chosen."""
    key = f"pick_{name}"
    state.preset(key, current)
    state.remember(name, current)
    place.selectbox(
        label,
        list(names),
        format_func=told_apart(names, names.__getitem__),
        key=key,
        on_change=_switch,
        args=(name,),
    )


def _switch(name: str) -> None:
    """Take a new choice over; the run in the address belonged to the old one."""
    state.remember(name, state.value_of(f"pick_{name}"))
    state.forget_run()
