"""The one stage of the tests: a licence on the stand-in Mattermost, and what acts on it.

`Stage` and `MirroredThread` keep a worker's parts in the test's own process; `DeployedStage` and
`DeployedThread` run the Procfile's processes, which a test may kill.
"""
