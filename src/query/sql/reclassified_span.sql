-- reclassified_span: between which moments events were re-classified, and whether any was; answered from the bounds of parts
SELECT count() AS rows, min(time) AS first, max(time) AS last
FROM reclassifications
