"""The defects that have to be accounted for: published ones of KFP, of what stands around it, of Argo Workflows and of
peers, and the gaps that reading KFP 2.17's API server has shown, which are numbered from `api9.1` to `api9.21`.
"""
PUBLISHED = [
    "CVE-2026-54745", "CVE-2026-77596", "GHSA-ghgh-57qv-h687", "GHSA-v83x-544f-ph2r", "GHSA-j53r-x5f5-j4hr",
    "KFP 2.18.1 visualization", "GHSA-qv29-qxgh-jcw8", "GHSA-rhjm-6347-5x33", "CVE-2024-9526", "CVE-2023-6570", "CVE-2023-6571",
    "CVE-2024-5552", "KFP #13127", "KFP #13684", "KFP #13388", "KFP #14357", "KFP #12509", "KFP #12528", "KFP #12778",
    "KFP #9889", "KFP #8074", "KFP #7818", "huntr 2026-06", "KFP #12928", "KFP #13554", "KFP #13562", "KFP #13577",
    "Kubeflow #6228", "Kubeflow #6077",
]
ARGO = [
    "CVE-2026-31892", "CVE-2026-42296", "CVE-2026-54526", "CVE-2026-28229", "CVE-2026-40886", "CVE-2026-42294", "CVE-2026-42297",
    "CVE-2026-23960", "CVE-2025-62156", "GO-2025-4223", "GO-2025-4024", "CVE-2024-53862", "CVE-2024-47827",
]
PEERS = [
    "MLflow CVE-2026-2651", "MLflow CVE-2026-2393", "MLflow CVE-2026-2635", "Nuclio CVE-2026-45730",
    "cube-studio CVE-2026-111672", "OpenFGA CVE-2026-33729", "OpenFGA CVE-2026-34972", "OpenFGA CVE-2025-55213",
    "OpenFGA CVE-2026-24851", "OpenFGA CVE-2025-55170",
]
GAPS = [f"api9.{number}" for number in range(1, 22)]
ALL = [*PUBLISHED, *ARGO, *PEERS, *GAPS]
