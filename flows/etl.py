from schedulerd import task, Flow

@task
def extract():
    data = {"data": [1, 2, 3, 4, 5]}
    return data

@task
def transform(data):
    transformed_data = [x * 2 for x in data["data"]]
    return transformed_data

@task
def load(transformed_data):
    print("Final data:", transformed_data)

with Flow("ETL-pipeline") as flow:
    e = extract()
    t = transform(e)
    l = load(t)

flow.run()
