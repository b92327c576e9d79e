"""The sample counties: 西乡 at full size, 镇安 as a small second one. Loaded by `manage.py load_sample`.

Figures are the counties' own (`facts`), everything else is invented: people, texts, most place names (`names`,
`demand_texts.txt`). The same day gives the same rows.
"""
