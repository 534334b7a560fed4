"""``losslang verify``: do the guarantees hold for this loss?

    from losslang.verify import verify

    report = verify("specs/sgl.loss", backends=["numpy"], progress=lambda done, total, what: ...)
    report.passed                 # False where any guarantee failed
    for finding in report.findings:
        finding.guarantee         # 1 … 6, and finding.name: finite, accurate, masked …
        finding.backend           # "" where no single backend is meant
        finding.status            # passed, failed, undecided, not_applicable
        finding.reason            # one sentence
        finding.worst             # the closest call, or the failure made small: place, numbers, inputs
    report.to_json()              # plain dicts and lists

Inputs are made from the declared kinds and axes, from a seed. They are judged by
``losslang.truth``: the formula as written, at a precision raised until its digits are certain; what
no precision can tell is ``undecided``. Needs the ``mpmath`` package.
"""

from losslang.verify.certificate import Certificate, certify
from losslang.verify.inputs import Case
from losslang.verify.report import GUARANTEES, Finding, Report, Worst
from losslang.verify.run import verify

__all__ = ["GUARANTEES", "Case", "Certificate", "Finding", "Report", "Worst", "certify", "verify"]
