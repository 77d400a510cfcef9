"""The page's documents: data in, HTML out."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from negatoscope.domain.archive.overview import (
    StudyDetail,
    StudyFilter,
    StudySummary,
    Totals,
)
from negatoscope.domain.archive.versions import SetAside, Task
from negatoscope.domain.devices import ApplicationEntity
from negatoscope.entrypoints.web.page.commands import Addresses, Command
from negatoscope.entrypoints.web.page.html import Html, html, join
from negatoscope.entrypoints.web.page.language import Language, Speaker, person_name
from negatoscope.entrypoints.web.version import VERSION

_LOGO = Html(
    '<svg viewBox="0 0 24 24" aria-hidden="true"><rect x="2" y="3" width="20" height="18" rx="3" '
    'fill="#39b3bb"/><rect x="4.5" y="5.5" width="15" height="13" rx="1.5" fill="#eaf7f7"/>'
    '<path d="M12 7v10M9 8.5c-2 .8-2.6 3-2.4 6.6.1 1.2 2.9.9 3.2-.6M15 8.5c2 .8 2.6 3 2.4 6.6'
    '-.1 1.2-2.9.9-3.2-.6" fill="none" stroke="#12212e" stroke-width="1.3" '
    'stroke-linecap="round"/></svg>'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What stands around every document.

    Attributes:
        say: In the reader's language.
        path: Of this page with its query, for the language switch.
        ae_title: Ours.
        user_name: Who is signed in.
        csrf: For forms.
        is_administrator: Whether the administrator's pages are shown.
        task_count: Open tasks, for an administrator.
        has_viewer: Whether studies can be opened in OHIF.
    """

    say: Speaker
    path: str
    ae_title: str
    user_name: str = ""
    csrf: str = ""
    is_administrator: bool = False
    task_count: int = 0
    has_viewer: bool = False


def document(frame: Frame, *, title: str, current: str, content: Html) -> Html:
    """A whole page for somebody signed in."""
    say = frame.say
    tabs = [("/", "studies"), ("/connect", "connect"), ("/entities", "entities")]
    if frame.is_administrator:
        tabs.append(("/tasks", "tasks"))
    links = [
        html(
            '<a href="{href}"{current}>{text}{pill}</a>',
            href=href,
            current=Html(' aria-current="page"') if name == current else "",
            text=say(f"nav.{name}"),
            pill=html('<span class="pill">{n}</span>', n=say.number(frame.task_count))
            if name == "tasks" and frame.task_count
            else "",
        )
        for href, name in tabs
    ]
    body = html(
        '<a class="skip" href="#content">{skip}</a>'
        '<header class="bar"><div class="bar-inner"><a class="brand" href="/">{logo}Negatoscope</a>'
        '<nav aria-label="{menu}">{links}</nav>'
        '<div class="who"><span class="name" title="{user}">{user}</span>{language}'
        '<form method="post" action="/sign-out">{csrf}<button>{sign_out}</button></form>'
        '</div></div></header><main id="content">{content}</main><footer>{footer}</footer>',
        skip=say("skip"),
        logo=_LOGO,
        menu=say("nav.main"),
        links=links,
        user=frame.user_name,
        language=_language_link(frame),
        csrf=_csrf(frame),
        sign_out=say("sign-out"),
        content=content,
        footer=say("footer", version=VERSION, ae_title=frame.ae_title),
    )
    return _shell(say, f"{title} · Negatoscope", body)


def _shell(say: Speaker, title: str, body: Html) -> Html:
    return html(
        '<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<title>{title}</title><link rel="icon" href="/static/icon.svg" type="image/svg+xml">'
        '<link rel="stylesheet" href="/static/style.css"></head>'
        '<body data-copy="{copy}" data-copied="{copied}">{body}'
        '<script src="/static/script.js" defer></script></body></html>\n',
        language=say.language,
        title=title,
        copy=say("connect.copy"),
        copied=say("connect.copied"),
        body=body,
    )


def icon() -> str:
    """The site's icon."""
    return _LOGO.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)


def _language_link(frame: Frame) -> Html:
    other = Language.FRENCH if frame.say.language is Language.ENGLISH else Language.ENGLISH
    query = urlencode({"to": other, "next": frame.path})
    return html(
        '<a href="/language?{query}" lang="{other}" hreflang="{other}">{text}</a>',
        query=query,
        other=other,
        text=frame.say("language.other"),
    )


def _csrf(frame: Frame) -> Html:
    return html('<input type="hidden" name="csrf" value="{csrf}">', csrf=frame.csrf)


def _note(text: str, kind: str = "") -> Html:
    if not text:
        return Html()
    return html('<p class="note {kind}" role="status">{text}</p>', kind=kind, text=text)


def _command(command: Command) -> Html:
    return html('<div class="command"><pre>{text}</pre></div>', text=command)


# -- sign-in ----------------------------------------------------------------------------------


def sign_in(frame: Frame, *, following: str, name: str = "", error: str = "") -> Html:
    """The form at the door."""
    say = frame.say
    content = html(
        '<h1>{title}</h1>{error}<form method="post" action="/sign-in">'
        '<input type="hidden" name="next" value="{following}">'
        '<label>{name_label}<input name="name" value="{name}" autocomplete="username" '
        'autocapitalize="none" required maxlength="100"{focus_name}></label>'
        '<label>{password_label}<input name="password" type="password" '
        'autocomplete="current-password" required maxlength="1000"{focus_password}></label>'
        '<button class="primary">{submit}</button></form>',
        title=say("sign-in.title"),
        error=_note(error, "bad"),
        following=following,
        name_label=say("sign-in.name"),
        name=name,
        focus_name="" if name else Html(" autofocus"),
        focus_password=Html(" autofocus") if name else "",
        password_label=say("sign-in.password"),
        submit=say("sign-in.submit"),
    )
    return _door(frame, say("sign-in.title"), content)


def set_up(frame: Frame, *, secret: str, name: str = "", error: str = "") -> Html:
    """The form behind the one-time link."""
    say = frame.say
    content = html(
        '<h1>{title}</h1><p>{text}</p>{error}<form method="post" action="/setup">'
        '<input type="hidden" name="secret" value="{secret}">'
        '<label>{name_label}<input name="name" value="{name}" autocomplete="username" '
        'autocapitalize="none" required maxlength="64"></label>'
        '<label>{password_label}<input name="password" type="password" '
        'autocomplete="new-password" required maxlength="1000"></label>'
        '<label>{repeat_label}<input name="repeat" type="password" '
        'autocomplete="new-password" required maxlength="1000"></label>'
        '<button class="primary">{submit}</button></form>',
        title=say("set-up.title"),
        text=say("set-up.text"),
        error=_note(error, "bad"),
        secret=secret,
        name_label=say("sign-in.name"),
        name=name,
        password_label=say("sign-in.password"),
        repeat_label=say("set-up.repeat"),
        submit=say("set-up.submit"),
    )
    return _door(frame, say("set-up.title"), content)


def set_up_used(frame: Frame) -> Html:
    """A link that is no longer good."""
    say = frame.say
    content = html(
        '<h1>{title}</h1><p>{text}</p><p><a class="button" href="/sign-in">{sign_in}</a></p>',
        title=say("set-up.title"),
        text=say("set-up.used"),
        sign_in=say("sign-in.title"),
    )
    return _door(frame, say("set-up.title"), content)


def _door(frame: Frame, title: str, content: Html) -> Html:
    body = html(
        '<main id="content"><div class="door"><div class="brand">{logo}Negatoscope</div>'
        '<p class="lead">{tagline}</p><div class="card">{content}</div>'
        '<div class="language">{language}</div></div></main>',
        logo=_LOGO,
        tagline=frame.say("sign-in.tagline"),
        content=content,
        language=_language_link(frame),
    )
    return _shell(frame.say, f"{title} · Negatoscope", body)


def error(frame: Frame, text: str) -> Html:
    """Something did not work."""
    say = frame.say
    content = html(
        '<h1>{title}</h1><p>{text}</p><p><a class="button" href="/">{home}</a></p>',
        title=say("error.title"),
        text=text,
        home=say("error.home"),
    )
    if not frame.user_name:
        return _door(frame, say("error.title"), content)
    card = html('<div class="card pad">{content}</div>', content=content)
    return document(frame, title=say("error.title"), current="", content=card)


# -- studies ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class StudiesPage:
    """A page of the list.

    Attributes:
        wanted: What was looked for.
        rows: At most ``size``.
        number: From 1.
        size: Rows of a page.
        has_next: Whether more follow.
        notes: What could not be read of the search.
    """

    wanted: StudyFilter
    rows: Sequence[StudySummary]
    number: int
    size: int
    has_next: bool
    notes: Sequence[str] = ()


def studies(frame: Frame, page: StudiesPage, totals: Totals, first_command: Command) -> Html:
    """The list of studies with its search."""
    say = frame.say
    parts: list[object] = [
        html(
            '<div class="heading"><h1>{title}</h1><p class="lead">{counts} {suffix}</p></div>',
            title=say("studies.title"),
            counts=" · ".join(
                (
                    say.count(totals.study_count, "study"),
                    say.count(totals.series_count, "series"),
                    say.count(totals.instance_count, "image"),
                    say.size(totals.byte_count),
                )
            ),
            suffix=say("studies.in-archive"),
        ),
        _search_form(say, page.wanted, totals.modalities),
        [_note(note, "warn") for note in page.notes],
    ]
    if page.rows:
        parts.append(_studies_table(frame, page))
    elif page.wanted.is_empty and page.number == 1:
        parts.append(
            html(
                '<div class="card"><div class="empty"><strong>{title}</strong>{hint}{command}'
                "</div></div>",
                title=say("studies.empty"),
                hint=say("studies.empty-hint"),
                command=_command(first_command),
            )
        )
    else:
        parts.append(
            html(
                '<div class="card"><div class="empty"><strong>{title}</strong>{hint}</div></div>',
                title=say("studies.none"),
                hint=say("studies.none-hint"),
            )
        )
    return document(frame, title=say("studies.title"), current="studies", content=join(parts))


def _search_form(say: Speaker, wanted: StudyFilter, modalities: Sequence[str]) -> Html:
    known = sorted({*modalities, *((wanted.modality,) if wanted.modality else ())})
    options = [
        html(
            '<option value="{m}"{selected}>{m}</option>',
            m=modality,
            selected=Html(" selected") if modality == wanted.modality else "",
        )
        for modality in known
    ]
    return html(
        '<form class="card search" role="search" method="get" action="/">'
        '<label class="grow">{text_label}<input type="search" name="text" value="{text}" '
        'maxlength="200" autocomplete="off"></label>'
        '<label>{from_label}<input type="date" name="from" value="{first}"></label>'
        '<label>{to_label}<input type="date" name="to" value="{last}"></label>'
        '<label>{modality_label}<select name="modality"><option value="">{any}</option>{options}'
        '</select></label><div class="actions"><button class="primary">{search}</button>{clear}'
        "</div></form>",
        text_label=say("studies.text"),
        text=wanted.text,
        from_label=say("studies.from"),
        first=wanted.first.isoformat() if wanted.first else "",
        to_label=say("studies.to"),
        last=wanted.last.isoformat() if wanted.last else "",
        modality_label=say("studies.modality"),
        any=say("studies.any-modality"),
        options=options,
        search=say("studies.search"),
        clear="" if wanted.is_empty else html('<a href="/">{t}</a>', t=say("studies.clear")),
    )


def _studies_table(frame: Frame, page: StudiesPage) -> Html:
    say = frame.say
    heads = html(
        "<th>{patient}</th><th>{date}</th><th>{modality}</th>"
        '<th class="optional-narrow">{description}</th><th class="optional">{accession}</th>'
        '<th class="number">{size}</th>{viewer}',
        patient=say("studies.patient"),
        date=say("studies.date"),
        modality=say("studies.modality"),
        description=say("studies.description"),
        accession=say("studies.accession"),
        size=say("studies.size"),
        viewer=html("<th>{t}</th>", t=say("study.links")) if frame.has_viewer else "",
    )
    first = (page.number - 1) * page.size + 1
    return html(
        '<div class="card"><div class="table-wrap"><table><thead><tr>{heads}</tr></thead>'
        '<tbody>{rows}</tbody></table></div><div class="pager"><span>{range}</span>'
        '<span class="links">{previous}{next}</span></div></div>',
        heads=heads,
        rows=[_study_row(frame, row) for row in page.rows],
        range=say(
            "studies.range",
            first=say.number(first),
            last=say.number(first + len(page.rows) - 1),
        ),
        previous=_page_link(page, page.number - 1, say("studies.previous"))
        if page.number > 1
        else "",
        next=_page_link(page, page.number + 1, say("studies.next")) if page.has_next else "",
    )


def _page_link(page: StudiesPage, number: int, text: str) -> Html:
    wanted = page.wanted
    query = {
        "text": wanted.text,
        "from": wanted.first.isoformat() if wanted.first else "",
        "to": wanted.last.isoformat() if wanted.last else "",
        "modality": wanted.modality or "",
        "page": str(number),
    }
    return html(
        '<a class="button second" href="/?{query}">{text}</a>',
        query=urlencode({name: value for name, value in query.items() if value}),
        text=text,
    )


def _viewer_link(frame: Frame, study_instance_uid: str, *, is_button: bool = False) -> Html:
    if not frame.has_viewer:
        return Html()
    return html(
        '<a {button}href="/ohif/viewer?StudyInstanceUIDs={uid}" target="_blank" rel="noopener">'
        "{text}</a>",
        button=Html('class="button second" ') if is_button else "",
        uid=study_instance_uid,
        text=frame.say("study.open-ohif" if is_button else "study.ohif"),
    )


def _study_row(frame: Frame, row: StudySummary) -> Html:
    say = frame.say
    return html(
        '<tr><td class="patient"><a class="row-link" href="/studies/{uid}">{name}</a>'
        '<span class="sub">{about}</span></td>'
        '<td class="date">{date}<span class="sub">{time}</span></td><td>{modalities}</td>'
        '<td class="text optional-narrow">{description}</td>'
        '<td class="code optional">{accession}</td>'
        '<td class="number">{images}<span class="sub">{series} · {size}</span></td>{viewer}</tr>',
        uid=row.study_instance_uid,
        name=person_name(row.patient_name) or _missing(say("studies.no-name")),
        about=_about(say, row),
        date=say.date(row.study_date) or _missing(say("studies.no-date")),
        time=say.time(row.study_time),
        modalities=_badges(row.modalities_in_study),
        description=row.study_description or _missing("—"),
        accession=row.accession_number or _missing("—"),
        images=say.count(row.instance_count, "image"),
        series=say.count(row.series_count, "series"),
        size=say.size(row.byte_count),
        viewer=html(
            '<td class="links-cell">{link}</td>', link=_viewer_link(frame, row.study_instance_uid)
        )
        if frame.has_viewer
        else "",
    )


def _about(say: Speaker, row: StudySummary) -> str:
    sex = row.patient_sex or ""
    pieces = [
        row.patient_id or "",
        say.date(row.patient_birth_date),
        say.age(row.patient_birth_date, row.study_date),
        say(f"sex.{sex}") if sex in ("M", "F", "O") else "",
    ]
    return "\u00a0· ".join(piece for piece in pieces if piece)


def _missing(text: str) -> Html:
    return html('<span class="missing">{text}</span>', text=text)


def _badges(values: Sequence[str]) -> list[Html]:
    return [html('<span class="badge">{v}</span>', v=value) for value in values]


def study(frame: Frame, detail: StudyDetail, commands: Sequence[Command]) -> Html:
    """One study with its series."""
    say = frame.say
    row = detail.summary
    base = f"/dicom-web/studies/{row.study_instance_uid}"
    name = person_name(row.patient_name) or say("studies.no-name")
    facts = [
        (say("studies.date"), f"{say.date(row.study_date)} {say.time(row.study_time)}".strip()),
        (say("studies.accession"), row.accession_number),
        (say("study.referrer"), person_name(detail.referring_physician_name)),
        (say("study.received"), say.moment(detail.received_at) if detail.received_at else ""),
    ]
    content = html(
        '<a class="back" href="/">← {back}</a><div class="heading"><div><h1>{name}</h1>'
        '<p class="lead">{about}</p></div></div><div class="card pad"><h2>{description} {badges}'
        '</h2><dl class="facts">{facts}<div class="wide"><dt>{uid_label}</dt>'
        "<dd><code>{uid}</code></dd></div></dl></div>"
        '<div class="card"><div class="heading pad-heading"><h2>{counts}</h2><div>{viewer} '
        '<a class="button" href="/studies/{uid}/archive.zip">{download}</a> '
        '<a class="button second" href="{base}/metadata?accept=application/json">{metadata}</a></div></div>'
        '<div class="table-wrap"><table><thead><tr><th class="number">{number}</th>'
        '<th>{modality}</th><th>{series_label}</th><th class="optional">{body_part}</th>'
        '<th class="optional">{station}</th><th class="number">{size}</th><th>{links}</th>'
        "</tr></thead><tbody>{rows}</tbody></table></div></div>"
        '<div class="card pad"><h2>{fetch}</h2>{commands}</div>',
        back=say("study.back"),
        name=name,
        about=_about(say, row),
        description=row.study_description or say("studies.no-description"),
        badges=_badges(row.modalities_in_study),
        facts=[
            html("<div><dt>{label}</dt><dd>{value}</dd></div>", label=label, value=value)
            for label, value in facts
            if value
        ],
        uid_label=say("study.uid"),
        uid=row.study_instance_uid,
        counts=" · ".join(
            (
                say.count(row.series_count, "series"),
                say.count(row.instance_count, "image"),
                say.size(row.byte_count),
            )
        ),
        viewer=_viewer_link(frame, row.study_instance_uid, is_button=True),
        download=say("study.download-all"),
        metadata=say("study.metadata-all"),
        base=base,
        number=say("study.number"),
        modality=say("studies.modality"),
        series_label=say("study.series"),
        body_part=say("study.body-part"),
        station=say("study.station"),
        size=say("studies.size"),
        links=say("study.links"),
        rows=[
            html(
                '<tr><td class="number">{number}</td><td>{modality}</td>'
                '<td class="text">{description}</td><td class="optional">{body_part}</td>'
                '<td class="optional">{station}</td><td class="number">{images}'
                '<span class="sub">{size}</span></td><td class="links-cell">'
                '<a href="/studies/{study}/series/{uid}/archive.zip">{download}</a>'
                '<a href="{base}/series/{uid}/metadata?accept=application/json">{metadata}</a></td></tr>',
                number="" if series.series_number is None else series.series_number,
                modality=_badges([series.modality] if series.modality else []),
                description=series.series_description or _missing(say("studies.no-description")),
                body_part=series.body_part_examined or "",
                station=series.station_name or "",
                images=say.count(series.instance_count, "image"),
                size=say.size(series.byte_count),
                study=row.study_instance_uid,
                uid=series.series_instance_uid,
                base=base,
                download=say("study.download"),
                metadata=say("study.metadata"),
            )
            for series in detail.series
        ],
        fetch=say("study.fetch"),
        commands=[_command(command) for command in commands],
    )
    return document(frame, title=name, current="studies", content=content)


# -- connect, entities, tasks -------------------------------------------------------------------


def connect(
    frame: Frame, addresses: Addresses, groups: Sequence[tuple[str, Sequence[Command]]]
) -> Html:
    """How to send, find and fetch."""
    say = frame.say
    facts = (
        (say("connect.ae-title"), addresses.ae_title),
        (say("connect.dicom-address"), f"{addresses.dicom_host}:{addresses.dicom_port}"),
        (say("connect.web-address"), f"{addresses.origin}/dicom-web"),
    )
    content = html(
        '<div class="heading"><h1>{title}</h1></div><p class="lead">{intro}</p>'
        '<div class="card pad"><dl class="facts">{facts}</dl></div><div class="two">{groups}</div>',
        title=say("connect.title"),
        intro=say("connect.intro"),
        facts=[
            html("<div><dt>{label}</dt><dd><code>{value}</code></dd></div>", label=a, value=b)
            for a, b in facts
        ],
        groups=[
            html(
                '<section class="card pad"><h2>{title}</h2>{text}{commands}</section>',
                title=say(f"connect.{name}"),
                text=html('<p class="lead">{t}</p>', t=say("connect.first-text"))
                if name == "first"
                else "",
                commands=[_command(command) for command in commands],
            )
            for name, commands in groups
        ],
    )
    return document(frame, title=say("connect.title"), current="connect", content=content)


def entities(
    frame: Frame,
    known: Sequence[ApplicationEntity],
    *,
    first_command: Command,
    note: str = "",
    note_kind: str = "",
) -> Html:
    """The registry of application entities."""
    say = frame.say
    rows = [
        html(
            '<tr><td><strong>{title}</strong></td><td class="mono">{host}:{port} {tls}</td>'
            '<td>{roles}</td><td class="text optional-narrow">{description}</td>'
            '<td class="links-cell">{test}</td></tr>',
            title=entity.ae_title,
            host=entity.host,
            port=entity.port,
            tls=html('<span class="badge good">{t}</span>', t=say("entities.tls"))
            if entity.tls
            else "",
            roles=_badges(sorted(entity.roles)),
            description=entity.description,
            test=html(
                '<form method="post" action="/entities/test">{csrf}'
                '<input type="hidden" name="ae_title" value="{title}">'
                '<button class="plain small">{text}</button></form>',
                csrf=_csrf(frame),
                title=entity.ae_title,
                text=say("entities.test"),
            )
            if frame.is_administrator
            else "",
        )
        for entity in known
    ]
    if rows:
        card = html(
            '<div class="card"><div class="table-wrap"><table><thead><tr><th>{title}</th>'
            '<th>{address}</th><th>{roles}</th><th class="optional-narrow">{description}</th>'
            "<th></th></tr></thead><tbody>{rows}</tbody></table></div></div>",
            title=say("entities.ae-title"),
            address=say("entities.address"),
            roles=say("entities.roles"),
            description=say("entities.description"),
            rows=rows,
        )
    else:
        card = html(
            '<div class="card"><div class="empty"><strong>{none}</strong>{hint}{command}</div></div>',
            none=say("entities.none"),
            hint=say("entities.none-hint"),
            command=_command(first_command),
        )
    content = html(
        '<div class="heading"><h1>{title}</h1></div><p class="lead">{text}</p>{note}{card}',
        title=say("entities.title"),
        text=say("entities.text"),
        note=_note(note, note_kind),
        card=card,
    )
    return document(frame, title=say("entities.title"), current="entities", content=content)


def tasks(
    frame: Frame,
    aside: Sequence[SetAside],
    others: Sequence[Task],
    *,
    note: str = "",
    note_kind: str = "",
) -> Html:
    """What waits for the administrator."""
    say = frame.say
    parts: list[object] = [
        html(
            '<div class="heading"><h1>{title}</h1></div><p class="lead">{text}</p>{note}',
            title=say("tasks.title"),
            text=say("tasks.text"),
            note=_note(note, note_kind),
        )
    ]
    if aside:
        parts.append(_aside_table(frame, aside))
    if others:
        parts.append(_task_table(frame, others))
    if not aside and not others:
        parts.append(
            html(
                '<div class="card"><div class="empty"><strong>{none}</strong></div></div>',
                none=say("tasks.none"),
            )
        )
    return document(frame, title=say("tasks.title"), current="tasks", content=join(parts))


def _aside_table(frame: Frame, aside: Sequence[SetAside]) -> Html:
    say = frame.say
    return html(
        '<h2>{title}</h2><p class="lead">{text}</p><div class="card"><div class="table-wrap">'
        '<table><thead><tr><th>{reason}</th><th>{object}</th><th class="optional">{origin}</th>'
        '<th>{when}</th><th class="number optional-narrow">{size}</th><th></th></tr></thead>'
        "<tbody>{rows}</tbody></table></div></div>",
        title=say("tasks.set-aside"),
        text=say("tasks.set-aside-text"),
        reason=say("tasks.reason"),
        object=say("tasks.object"),
        origin=say("tasks.from"),
        when=say("tasks.when"),
        size=say("studies.size"),
        rows=[
            html(
                '<tr><td>{reason}</td><td class="uid"><code>{sop}</code><span class="sub">'
                '<a href="/studies/{study}">{study}</a></span></td>'
                '<td class="optional">{origin}</td><td class="date">{when}</td>'
                '<td class="number optional-narrow">{size}</td><td class="links-cell">{accept}'
                "{dismiss}</td></tr>",
                reason=say(f"reason.{one.reason}"),
                sop=one.sop_instance_uid,
                study=one.study_instance_uid,
                origin=one.calling_ae_title or "",
                when=say.moment(one.received_at),
                size=say.size(one.size),
                accept=_decision(frame, "accept", one.id)
                if one.reason == "CONTENT DIFFERS"
                else "",
                dismiss=_decision(frame, "dismiss", one.id),
            )
            for one in aside
        ],
    )


def _task_table(frame: Frame, others: Sequence[Task]) -> Html:
    say = frame.say
    return html(
        '<h2>{title}</h2><div class="card"><div class="table-wrap"><table><thead><tr>'
        "<th>{kind}</th><th>{subject}</th><th>{when}</th><th></th></tr></thead>"
        "<tbody>{rows}</tbody></table></div></div>",
        title=say("tasks.other"),
        kind=say("tasks.kind"),
        subject=say("tasks.subject"),
        when=say("tasks.when"),
        rows=[
            html(
                '<tr><td>{kind}</td><td class="uid"><code>{subject}</code>{detail}</td>'
                '<td class="date">{when}</td><td class="links-cell">{done}</td></tr>',
                kind=task.kind,
                subject=task.subject,
                detail=[
                    html('<span class="sub">{name}: {value}</span>', name=name, value=value)
                    for name, value in sorted(task.detail.items())
                ],
                when=say.moment(task.created_at),
                done=_decision(frame, "done", task.id),
            )
            for task in others
        ],
    )


def _decision(frame: Frame, decision: str, number: int) -> Html:
    return html(
        '<form method="post" action="/tasks/{decision}">{csrf}'
        '<input type="hidden" name="id" value="{number}">'
        '<button class="plain small">{text}</button></form>',
        decision=decision,
        csrf=_csrf(frame),
        number=number,
        text=frame.say(f"tasks.{decision}"),
    )
