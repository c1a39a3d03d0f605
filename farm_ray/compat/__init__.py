"""What exists because FARM had it: its objects for single rows, list readers, torch data sets and small helpers.

farm_ray's own stages work on whole tables and import nothing of this, with three doors: `Processor`, which programs
subclass with methods on single rows; `BertStyleLMProcessor`, whose `dataset_from_dicts` they call; and
`DataSilo.random_split_ConcatDataset`. FARM's public paths, such as `farm_ray.data_handler.utils`, re-export from here.
"""
