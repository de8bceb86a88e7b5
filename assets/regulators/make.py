"""Make the files of this folder from those that its README names.

    python assets/regulators/make.py FOLDER

FOLDER holds `gene_ids/hgnc_2021-03.tsv.gz` and `tf/trrust_v2_human.tsv`. The same sources give the same files, byte for
byte.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
ORTHOLOGS = HERE.parent / "genes" / "orthologs.npz"
NAMES = re.compile(
    r"transcription(al)? (factor|repressor|activator)|zinc finger protein|zinc finger and (BTB|SCAN|AT-hook)"
    r"|zinc finger with KRAB|zinc finger (DBF|BED)"
    r"|family zinc finger( \d)?$|^\w+ zinc finger( \d+)?$"
    r"|KRAB zinc finger|homeobox|homeodomain"
    r"|forkhead box|SRY-box|T-box|paired box|nuclear receptor subfamily|GATA binding|interferon regulatory factor"
    r"|activator of transcription|helix-loop-helix|leucine zipper ATF|bZIP|E2F|^ETS|ETS\d? |POU class|iroquois"
    r"|Kruppel|^hes |hairy|CCAAT|cAMP responsive|retinoic acid receptor|retinoid X receptor|RAR related"
    r"|thyroid hormone receptor (alpha|beta)|peroxisome proliferator activated receptor (alpha|delta|gamma)$"
    r"|estrogen (receptor|related receptor)|progesterone receptor$|androgen receptor$|vitamin D receptor"
    r"|nuclear factor (kappa|I [ABCX])|nuclear factor,|nuclear factor of activated T|nuclear respiratory factor"
    r"|hepatocyte nuclear factor|hypoxia inducible factor \d subunit alpha|aryl.hydrocarbon receptor"
    r"|proto-oncogene, (AP-1|bHLH|NF-kB|ETS|transcription)|(Spi-1|MAF|REL|RELA|MYB|FLI-1|ETS) proto-oncogene"
    r"|SMAD family member [1-589]|TEA domain|IKAROS|GLI family|Zic family|snail family|heat shock transcription"
    r"|regulatory factor X|BTB domain and CNC|PR/SET domain (1|2|4|5|8|9|10|13|14|15|16)$|doublesex|DMRT"
    r"|myocyte enhancer|nescient|neurogenin|neuronal differentiation \d|neuronal PAS|endothelial PAS|achaete|twist"
    r"|mesoderm posterior|HMG-box|grainyhead|AT-rich interaction domain [35]|[Cc]ut like|early growth response"
    r"|WT1 tran|CCCTC-binding|^tumor protein p(53|63|73)$|EBF family|lymphoid enhancer|MAX dimerization"
    r"|MYC (associated|proto)|MAX interactor|myogenic|myogenin|X-box binding protein|serum response factor"
    r"|sex determining region Y|recombination signal binding|autoimmune regulator|eomesodermin|clock circadian"
    r"|DNA damage inducible transcript 3|heart and neural crest|musculin|mesogenin|ovo like|myelin regulatory factor"
    r"|subunit BCL11|serum amyloid A activating|THAP domain|upstream binding protein 1"
)
"""What the approved name of a transcription factor says: the family of its DNA-binding domain."""
NOT = re.compile(
    r"general transcription|mitochondri|interacting (protein|factor)|interactor|associated protein|coactivator"
    r"|corepressor|target|CKLF|kinase|GTPase|pseudogene|elongation|termination|basic transcription|peptidase"
)
"""What says that it is none, though."""


def human_regulators(folder: Path) -> list[str]:
    """List genes that make a protein and are named as transcription factors."""
    with gzip.open(folder / "gene_ids" / "hgnc_2021-03.tsv.gz", "rt", encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        coding = [row for row in rows if row["locus_group"] == "protein-coding gene"]
    return sorted(
        row["symbol"] for row in coding if NAMES.search(row["name"]) and not NOT.search(row["name"])
    )


def human_links(folder: Path) -> list[tuple[str, str]]:
    """List the links of TRRUST, each once."""
    with (folder / "tf" / "trrust_v2_human.tsv").open(encoding="utf-8", newline="") as file:
        return sorted({(row["tf"], row["target"]) for row in csv.DictReader(file, delimiter="\t")})


def to_mouse() -> Mapping[str, str]:
    """Map human symbols to those of mouse, one to one."""
    with np.load(ORTHOLOGS) as file:
        human, mouse = (file[one].tobytes().decode().split("\n") for one in ("human", "mouse"))
    return dict(zip(human, mouse, strict=True))


def write_list(name: str, genes: Iterable[str]) -> None:
    """Write a symbol in each line."""
    (HERE / name).write_text("".join(f"{gene}\n" for gene in genes), encoding="utf-8")


def write_links(name: str, links: Iterable[tuple[str, str]]) -> None:
    """Write a packed table of regulators and targets, without the time of writing."""
    text = "".join(f"{source}\t{target}\n" for source, target in (("source", "target"), *links))
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0, filename="") as file:
        file.write(text.encode())
    (HERE / name).write_bytes(packed.getvalue())


def main(folder: Path) -> None:
    """Write all files."""
    regulators, links, mouse = human_regulators(folder), human_links(folder), to_mouse()
    write_list("regulators_human.txt", regulators)
    write_list("regulators_mouse.txt", sorted({mouse[one] for one in regulators if one in mouse}))
    write_links("trrust_human.tsv.gz", links)
    both = {(mouse[a], mouse[b]) for a, b in links if a in mouse and b in mouse}
    write_links("trrust_mouse.tsv.gz", sorted(both))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
