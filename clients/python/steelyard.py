"""A client of the Steelyard training service, in one file on the standard library alone (Python 3.9 or newer).

    import steelyard

    client = steelyard.Client('http://127.0.0.1:8080')
    dataset = client.datasets.create('visits.csv', label='readmitted')
    job = client.jobs.create({'dataset': dataset['id'], 'weighting': {'preset': 'consensus'}})
    for event in client.jobs.events(job['id']):
        print(event['type'])
    client.jobs.download(job['id'], 'model.onnx', 'model.onnx')
    print(client.jobs.predict(job['id'], [{'seen': '2024-01-26', 'age': 87, 'pulse': None, 'ward': 'surgery', 'note': None}])['data'])

Resources are dictionaries, as the page /docs of a service describes them. What a service refuses raises SteelyardError.
"""

import contextlib
import http.client
import json
import os
import shutil
import time
import urllib.parse
import uuid

__all__ = ['Client', 'SteelyardError']

_PASSING = {429, 502, 503, 504}
_FINAL = {'succeeded', 'failed', 'cancelled'}
_LONGEST_WAIT = 60.0


class SteelyardError(Exception):
    """A request that did not succeed.

    `code` is stable: one of the service, or `unreachable` where no answer came, or `unexpected_answer` where the answer is not one of this API.
    `param` names the field that is to blame, or is None. `status` is the HTTP status, or 0 where no answer came. `retry_after` is the number of
    seconds after which the service asks to come again, or None.
    """

    def __init__(self, code, message, status=0, param=None, retry_after=None):
        super().__init__(message)
        self.code = code
        self.status = status
        self.param = param
        self.retry_after = retry_after


def _error_of(answer):
    """The error that an answer which is no success stands for."""
    text = answer.read().decode('utf-8', 'replace')
    wait = answer.headers.get('retry-after', '')
    retry_after = float(wait) if wait.isdigit() else None
    try:
        problem = json.loads(text)
        return SteelyardError(problem['code'], problem['detail'], answer.status, problem.get('param'), retry_after)
    except (ValueError, KeyError, TypeError):
        message = f'{answer.url} answered {answer.status} that is not of this API: {text[:200]}'
        return SteelyardError('unexpected_answer', message, answer.status, None, retry_after)


def _query_text(query):
    """A query as the service reads it: a list is one field several times, a dictionary is fields such as metadata[name]."""
    fields = []
    for name, value in query.items():
        if value is None:
            continue
        if isinstance(value, dict):
            fields += [(f'{name}[{key}]', text) for key, text in value.items()]
        elif isinstance(value, (list, tuple)):
            fields += [(name, one) for one in value]
        else:
            fields.append((name, str(value).lower() if isinstance(value, bool) else value))
    return '?' + urllib.parse.urlencode(fields) if fields else ''


class _Connection:
    """Sends requests to one service."""

    def __init__(self, url, api_key, project, retries, timeout):
        self.url = url.rstrip('/')
        parts = urllib.parse.urlsplit(self.url)
        if parts.scheme not in ('http', 'https') or not parts.netloc:
            raise ValueError(f'{url!r} is not the address of a service; expected one such as http://127.0.0.1:8080')
        self.retries = retries
        self.timeout = timeout
        self.headers = {}
        if api_key is not None:
            self.headers['Authorization'] = f'Bearer {api_key}'
        if project is not None:
            self.headers['Steelyard-Project'] = project

    @contextlib.contextmanager
    def open(self, method, path, query=None, headers=None, body=None):
        """Sends one request, and gives its answer while the connection is open."""
        parts = urllib.parse.urlsplit(self.url)
        kind = http.client.HTTPSConnection if parts.scheme == 'https' else http.client.HTTPConnection
        target = f'{path}{_query_text(query or {})}'
        with contextlib.closing(kind(parts.netloc, timeout=self.timeout)) as connection:
            try:
                try:
                    connection.request(method, f'{parts.path}{target}', body=body, headers={**self.headers, **(headers or {})})
                except (BrokenPipeError, ConnectionResetError):
                    # The service may refuse what it has not read to its end: its answer says why.
                    pass
                answer = connection.getresponse()
            except (OSError, http.client.HTTPException) as error:
                raise SteelyardError('unreachable', f'{self.url} is not reachable: {error}') from error
            answer.url = f'{self.url}{target}'
            if answer.status >= 300:
                raise _error_of(answer)
            yield answer

    def read(self, method, path, **request):
        """Sends one request and gives the JSON of its answer; None where that has no body."""
        with self.open(method, path, **request) as answer:
            try:
                text = answer.read()
            except (OSError, http.client.HTTPException) as error:
                raise SteelyardError('unreachable', f'The answer of {answer.url} broke off') from error
            try:
                return json.loads(text) if text else None
            except ValueError:
                raise SteelyardError('unexpected_answer', f'{answer.url} answered without JSON: {text[:200]!r}', answer.status) from None

    def repeat(self, send):
        """Sends what does no harm when it arrives twice, and sends it again where its error may pass."""
        for failures in range(self.retries + 1):
            try:
                return send()
            except SteelyardError as error:
                wait = error.retry_after if error.retry_after is not None else 0.25 * 2**failures
                if failures == self.retries or wait > _LONGEST_WAIT or (error.status != 0 and error.status not in _PASSING):
                    raise
                time.sleep(wait)

    def get(self, path, query=None):
        return self.repeat(lambda: self.read('GET', path, query=query))

    def send(self, method, path, value=None, query=None, headers=None):
        """Sends a value as JSON; nothing where it is None."""
        body = None if value is None else json.dumps(value).encode()
        kind = {} if value is None else {'Content-Type': 'application/json'}
        return self.read(method, path, query=query, headers={**kind, **(headers or {})}, body=body)

    def upload(self, path, file, filename, query):
        """Sends a file, which is read from the disk as it is sent; or an open binary file, which needs a filename."""
        if not hasattr(file, 'read'):
            with open(file, 'rb') as source:
                return self.upload(path, source, filename or os.path.basename(os.fspath(file)), query)
        if filename is None:
            raise ValueError('An open file needs a filename, whose ending says what it is')
        headers = {'Content-Type': 'application/octet-stream'}
        if file.seekable():
            start = file.tell()
            headers['Content-Length'] = str(file.seek(0, os.SEEK_END) - start)
            file.seek(start)
        return self.read('POST', path, query={'filename': filename, **query}, headers=headers, body=file)


def _path(kind, resource, *more):
    """The path of a resource, and of what it has."""
    return '/'.join(['/v1', kind, *(urllib.parse.quote(part, safe='') for part in (resource, *more))])


class _Uploads:
    """What datasets and models have in common."""

    _kind = ''

    def __init__(self, connection):
        self._connection = connection

    def list(self, **query):
        """A page, newest first: `data`, `has_more`, and `next`, which is given as `after` for what follows. It takes limit, after, name, metadata, created_after and created_before."""
        return self._connection.get(f'/v1/{self._kind}', query)

    def get(self, id):
        """One of them."""
        return self._connection.get(_path(self._kind, id))

    def update(self, id, change):
        """Changes `name` and `metadata`. Entries of metadata that are not named stay; None removes one."""
        return self._connection.send('PATCH', _path(self._kind, id), change)

    def remove(self, id):
        """Deletes it, for good."""
        self._connection.send('DELETE', _path(self._kind, id))


class Datasets(_Uploads):
    """Datasets of the service."""

    _kind = 'datasets'

    def create(self, file, filename=None, label=None, manifest=None, name=None, metadata=None):
        """Uploads a table or an archive, a path or an open binary file, and gives the dataset once the service has validated it."""
        return self._connection.upload('/v1/datasets', file, filename, self._said(label, manifest, name, metadata))

    def preview(self, file, filename=None, label=None, manifest=None):
        """Says how a table would be read, from its first rows. Nothing of it is kept."""
        return self._connection.upload('/v1/table-previews', file, filename, self._said(label, manifest, None, None))

    def rows(self, id, split='train', offset=0, limit=20):
        """Gives rows of a split, as `jobs.predict` takes those of a job on the dataset: at most `limit`, which is up to 100, from row `offset` on, counted from 0. `data` has them, each with `row`, `values` and `label`."""
        return self._connection.get(_path(self._kind, id, 'rows'), {'split': split, 'offset': offset, 'limit': limit})

    @staticmethod
    def _said(label, manifest, name, metadata):
        return {'label': label, 'manifest': None if manifest is None else json.dumps(manifest), 'name': name, 'metadata': metadata}


class Models(_Uploads):
    """Uploaded forward graphs."""

    _kind = 'models'

    def create(self, file, filename=None, name=None, metadata=None):
        """Uploads an ONNX file, or a zip archive with one. A worker inspects it: see `inspected`."""
        return self._connection.upload('/v1/models', file, filename, {'name': name, 'metadata': metadata})

    def inspected(self, id, delay=0.5):
        """Gives the model once it is `ready` or `refused`. Asks every `delay` seconds."""
        while True:
            model = self.get(id)
            if model['status'] != 'inspecting':
                return model
            time.sleep(delay)


class Jobs:
    """Training jobs of the service."""

    def __init__(self, connection):
        self._connection = connection

    def create(self, spec, idempotency_key=None):
        """Posts a job. The same key with the same spec gives the same job, however often it is sent; one is made where none is given."""
        headers = {'Idempotency-Key': idempotency_key or uuid.uuid4().hex}
        return self._connection.repeat(lambda: self._connection.send('POST', '/v1/jobs', spec, headers=headers))

    def get(self, id):
        """A job."""
        return self._connection.get(_path('jobs', id))

    def list(self, **query):
        """A page of jobs: `data`, `has_more`, and `next`, which is given as `after` for what follows. It takes limit, after, status, dataset, name, metadata, created_after, created_before, sort and order."""
        return self._connection.get('/v1/jobs', query)

    def update(self, id, change):
        """Changes `name`, which None takes away, and `metadata`. Entries of metadata that are not named stay; None removes one."""
        return self._connection.send('PATCH', _path('jobs', id), change)

    def cancel(self, id):
        """Cancels a job: a queued one at once; a running one is asked to stop."""
        return self._connection.send('POST', _path('jobs', id, 'cancel'))

    def pause(self, id):
        """Pauses a job: a queued one at once; a running one is asked to."""
        return self._connection.send('POST', _path('jobs', id, 'pause'))

    def resume(self, id):
        """Queues a paused or cancelled job again, which goes on from its last checkpoint."""
        return self._connection.send('POST', _path('jobs', id, 'resume'))

    def remove(self, id):
        """Deletes a job that has ended, with its events and artifacts."""
        self._connection.send('DELETE', _path('jobs', id))

    def events(self, id, after=None, attempts=20, delay=0.25):
        """Yields the events of a job after the event `after`, each once and in order, live until its final status.

        When the connection breaks, it connects again and goes on where it was. It gives up after `attempts` failures in a row, and at once where the
        service refuses the request. It waits `delay` seconds before the first new attempt; each further wait is twice as long, up to 5 s.
        """
        return _follow(self._connection, _path('jobs', id, 'events'), _is_end, after, attempts, delay)

    def watch(self, attempts=20, delay=0.25):
        """Yields what changes the list of the jobs of the project, without end: dictionaries whose `type` is `reset`, `changed` or `deleted`.

        Upon `reset`, which comes first, load the list. A job that changes comes then as it is now, as `job`; of one that was deleted comes the `id`. When
        the connection breaks, it connects again, as `events` does, and yields what has changed meanwhile.
        """
        return _follow(self._connection, '/v1/job-changes', lambda change: False, None, attempts, delay)

    def wait(self, id):
        """Gives the job once it has ended: `succeeded`, `failed` or `cancelled`."""
        for _ in self.events(id):
            pass
        return self.get(id)

    def logs(self, id, **query):
        """Lines of the log of a job, oldest first: those that follow the line `after`, else the last ones."""
        return self._connection.get(_path('jobs', id, 'logs'), query)

    def metrics(self, id):
        """The curves of a job."""
        return self._connection.get(_path('jobs', id, 'metrics'))

    def predict(self, id, rows):
        """Has the trained model run over rows, which are dictionaries by the columns of its table, or else by its modalities; or over the text of a csv file."""
        path = _path('jobs', id, 'predict')
        if isinstance(rows, str):
            return self._connection.read('POST', path, headers={'Content-Type': 'text/csv'}, body=rows.encode())
        return self._connection.send('POST', path, {'rows': rows})

    def artifacts(self, id):
        """What a job has produced: a list of name, bytes, sha256 and content_type."""
        return self._connection.get(_path('jobs', id, 'artifacts'))['data']

    def download(self, id, name, target):
        """Writes an artifact to a file, a path or an open binary file. A path has the whole file or what it had before."""
        if hasattr(target, 'write'):
            with self._connection.open('GET', _path('jobs', id, 'artifacts', name)) as answer:
                _copy(answer, target)
            return
        part = f'{os.fspath(target)}.part'
        try:
            with open(part, 'wb') as file:
                self.download(id, name, file)
            os.replace(part, target)
        except BaseException:
            if os.path.exists(part):
                os.remove(part)
            raise


class Sweeps:
    """Sweeps of the service: many jobs, of which the best is looked for."""

    def __init__(self, connection):
        self._connection = connection

    def create(self, spec):
        """Posts a sweep, whose first trials are then queued."""
        return self._connection.send('POST', '/v1/sweeps', spec)

    def get(self, id):
        """A sweep with its trials, the best first."""
        return self._connection.get(_path('sweeps', id))

    def list(self, **query):
        """A page of sweeps without their trials, newest first: `data`, `has_more`, and `next`, which is given as `after` for what follows."""
        return self._connection.get('/v1/sweeps', query)

    def pause(self, id):
        """Starts no more trials; those that wait or run go on."""
        return self._connection.send('POST', _path('sweeps', id, 'pause'))

    def resume(self, id):
        """Lets a paused sweep go on."""
        return self._connection.send('POST', _path('sweeps', id, 'resume'))

    def cancel(self, id):
        """Ends a sweep and cancels its jobs."""
        return self._connection.send('POST', _path('sweeps', id, 'cancel'))

    def remove(self, id):
        """Removes a sweep that has ended. Its jobs stay."""
        self._connection.send('DELETE', _path('sweeps', id))

    def wait(self, id, delay=1.0):
        """A sweep once it has ended; looks every `delay` seconds."""
        while True:
            sweep = self.get(id)
            if sweep['finished_at'] is not None:
                return sweep
            time.sleep(delay)


class Webhook:
    """The webhook of the project, to which notices of its jobs go that have ended."""

    _PATH = '/v1/webhook'

    def __init__(self, connection):
        self._connection = connection

    def set(self, url=None, on=None):
        """Sets it, with a new `secret` that signs the notices, which is in this answer alone.

        Without `url` only jobs with a `notify` of their own are told of. `on` lists the ends that it tells of: succeeded, failed, cancelled; all unless given.
        """
        said = {'url': url, 'on': on}
        return self._connection.send('PUT', self._PATH, {name: value for name, value in said.items() if value is not None})

    def get(self):
        """The webhook, without its secret. Where there is none, SteelyardError has the code `not_found`."""
        return self._connection.get(self._PATH)

    def remove(self):
        """Takes it away: no notices of the project are sent any more."""
        self._connection.send('DELETE', self._PATH)


def _copy(answer, target):
    """Copies the body of an answer, which must be as long as it says."""
    length = int(answer.headers.get('content-length', -1))
    start = target.tell() if target.seekable() else None
    try:
        shutil.copyfileobj(answer, target)
    except (OSError, http.client.HTTPException) as error:
        raise SteelyardError('unreachable', f'The answer of {answer.url} broke off') from error
    if start is not None and 0 <= length != target.tell() - start:
        raise SteelyardError('unreachable', f'The answer of {answer.url} broke off')


def _events_of(answer):
    """The events of a body of server-sent events, as the service writes them, each with its id: a field a line, and an empty line after each event."""
    id, data = None, []
    for line in answer:
        text = line.decode('utf-8').rstrip('\r\n')
        if text.startswith('id:'):
            id = text[3:].lstrip(' ')
        elif text.startswith('data:'):
            data.append(text[5:].lstrip(' '))
        elif text == '' and data:
            yield id, json.loads('\n'.join(data))
            data = []


def _is_end(event):
    """Whether nothing follows after an event of a job, unless it is resumed."""
    return event['type'] == 'status' and event['status'] in _FINAL


def _follow(connection, path, is_last, after, attempts, delay):
    """Yields the events of a stream after the event `after`, and connects again where it breaks, until one is the last."""
    failures = 0
    while True:
        try:
            headers = {'Accept': 'text/event-stream', **({} if after is None else {'Last-Event-ID': after})}
            with connection.open('GET', path, headers=headers) as answer:
                # With 204 the service says that nothing more will come.
                if answer.status == 204:
                    return
                failures = 0
                last = False
                for after, event in _events_of(answer):
                    last = is_last(event)
                    yield event
                if last:
                    return
        except (OSError, http.client.HTTPException) as error:
            if failures >= attempts:
                raise SteelyardError('unreachable', f'The events of {path} broke off: {error}') from error
        except SteelyardError as error:
            if 0 < error.status < 500 or failures >= attempts:
                raise
        time.sleep(min(5.0, delay * 2**failures))
        failures += 1


class Client:
    """A client of the service at `url`.

    `api_key` is the token of a key, or STEELYARD_API_KEY of the service. `project` is the project to work in, for a key of the scope admin. What
    reads, and a post of a job, is sent again up to `retries` times where the connection was lost or the service asks to come later. `timeout` is
    for how many seconds a connection may be silent; the service lets an event stream speak every 15 s.
    """

    def __init__(self, url, api_key=None, project=None, retries=2, timeout=600.0):
        connection = _Connection(url, api_key, project, retries, timeout)
        self._connection = connection
        self.datasets = Datasets(connection)
        self.models = Models(connection)
        self.jobs = Jobs(connection)
        self.sweeps = Sweeps(connection)
        self.webhook = Webhook(connection)

    def ready(self):
        """How the service is: `ready`, and what is wrong where it is not."""
        try:
            return self._connection.read('GET', '/readyz')
        except SteelyardError as error:
            if error.status != 503:
                raise
            return {'ready': False}

    def caller(self):
        """Who asks: the key, its scope, and the project that requests work in."""
        return self._connection.get('/v1/caller')
