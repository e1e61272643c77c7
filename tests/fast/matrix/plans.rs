use super::*;
use stentor::{
    channel::{contact::PHONE, slack::contact::MEMBER},
    core::{ChannelName, PersonName, RoleName, StepTarget, TriggerName, plan::OnResolved},
    matrix::ChannelKind,
    toml_kit::{secret::SecretRef, unread::unread},
};

#[test]
fn the_matrix_that_ships_has_neither_error_nor_warning() {
    let files = folder("matrix");
    let parsed = parse(&files);
    assert!(parsed.diagnostics.is_empty(), "{}", render(&parsed.diagnostics, &files, false));
}

#[test]
fn a_chatbot_and_a_clinic_can_run_on_stentor_too() {
    sound(&folder("tests/fast/matrix/chatbot"));
    sound(&folder("tests/fast/matrix/clinic"));
}

#[test]
fn the_smallest_matrix_works_and_lacks_only_a_catch_all() {
    let files = [file(
        "m.toml",
        "[channel.desk]\nkind = \"screen\"\n[person.ana]\nname = \"Ana Ruiz\"\n[role.trader]\n\
         step = [{ page = [\"ana\"], by = [\"desk\"], wait = \"45s\" }]\n[trigger.flash-crash]\n\
         on = [\"price_velocity\"]\nwhen = 'alert.values.drop_pct >= 5.0'\nroles = [\"trader\"]\n",
    )];
    let parsed = parse(&files);
    let codes: Vec<&str> = parsed.diagnostics.iter().map(|d| d.code).collect();
    assert_eq!(codes, ["no-catch-all"]);
    let matrix = parsed.matrix.expect("a warning does not refuse");
    assert_eq!(matrix.failure_plan(&"flash-crash".into()), None);
    let plan = matrix.plan(&"flash-crash".into()).expect("a plan");
    assert_eq!(plan.roles.keys().map(RoleName::as_str).collect::<Vec<_>>(), ["trader"]);
}

#[test]
fn a_plan_holds_its_roles_every_next_and_the_catch_all_and_no_other() {
    let matrix = sound(&folder("matrix"));
    let plan = matrix.plan(&TriggerName::from("flash-crash")).expect("a plan");
    let names: Vec<&str> = plan.roles.keys().map(RoleName::as_str).collect();
    assert_eq!(names, ["catch-all", "compliance", "compliance-head", "head-of-desk", "it", "it-lead", "trader"]);
    assert_eq!(plan.required.iter().map(RoleName::as_str).collect::<Vec<_>>(), ["trader", "compliance", "it"]);
    assert_eq!(plan.matrix, matrix.revision);
    assert_eq!(plan.rooms.iter().map(ChannelName::as_str).collect::<Vec<_>>(), ["room"]);
    assert_eq!(plan.on_resolved, OnResolved::Note);
    assert_eq!(plan.accept_timeout.len(), 4);
    let trader = &plan.roles["trader"];
    assert_eq!(trader.steps[0].page, [StepTarget::Rotation("equities".into())]);
    assert_eq!(trader.steps[0].wait.as_secs(), 15);
    assert_eq!((trader.template.as_str(), trader.template_revision.as_str()), ("trader", "trader-1"));
    assert_eq!(plan.roles["head-of-desk"].template, "head-of-desk");
    assert_eq!(plan.roles["compliance-head"].template, "compliance");
    assert_eq!(plan.roles["catch-all"].template, "catch-all");
}

#[test]
fn the_failure_plan_pages_the_catch_all_alone() {
    let matrix = sound(&folder("matrix"));
    let plan = matrix.failure_plan(&"flash-crash".into()).expect("there is a catch-all");
    assert_eq!(plan.required, [RoleName::catch_all()]);
    assert_eq!(plan.roles.keys().collect::<Vec<_>>(), [&RoleName::catch_all()]);
    assert!(plan.rooms.is_empty());
}

#[test]
fn people_are_reached_in_the_order_in_which_channels_are_written() {
    let matrix = sound(&folder("matrix"));
    let reach: Vec<&str> = matrix.roster.channels(&"ana".into()).iter().map(ChannelName::as_str).collect();
    assert_eq!(reach, ["desk", "room", "sms", "mail"]);
    let clinic = sound(&folder("tests/fast/matrix/clinic"));
    let reach: Vec<&str> = clinic.roster.channels(&"nurse-lee".into()).iter().map(ChannelName::as_str).collect();
    assert_eq!(reach, ["ward", "pager"]);
}

#[test]
fn people_are_found_by_what_they_answer_with() {
    let files =
        [file("m.toml", "[person.ana]\nname = \"Ana\"\nphone = \"+447700900001\"\nslack = \"U1\"\nunix = \"aruiz\"\n")];
    let matrix = parse(&files).matrix.expect("warnings only");
    let ana = PersonName::from("ana");
    assert_eq!(matrix.person_of(PHONE, "+447700900001"), Some(&ana));
    assert_eq!(matrix.person_of(MEMBER, "U1"), Some(&ana));
    assert_eq!(matrix.person_of_unix("aruiz"), Some(&ana));
    assert_eq!(matrix.person_of_unix("ana"), None);
}

#[test]
fn channels_have_the_pace_and_accept_deadline_their_kind_or_their_own() {
    let matrix = sound(&folder("tests/fast/matrix/clinic"));
    let pager = matrix.channel(&"pager".into()).expect("a channel");
    assert_eq!(pager.kind(), stentor::channel::kannel::KIND);
    assert_eq!((pager.pace.every.as_secs(), pager.pace.burst, pager.accept_timeout.as_secs()), (3, 4, 10));
    let ward = matrix.channel(&"ward".into()).expect("a channel");
    assert_eq!((ward.pace, ward.accept_timeout.as_secs()), (ChannelKind::SCREEN.spec().pace, 5));
}

#[test]
fn secrets_are_named_each_once() {
    let matrix = sound(&folder("tests/fast/matrix/clinic"));
    let expected = [
        SecretRef::File("/run/secrets/scheduler".into()),
        SecretRef::Credential("kannel".into()),
        SecretRef::Credential("scheduler-next".into()),
    ];
    assert_eq!(matrix.secrets(), expected.iter().collect::<Vec<_>>());
}

#[test]
fn an_override_without_an_offset_is_on_the_rotations_clock() {
    let matrix = sound(&folder("tests/fast/matrix/clinic"));
    let rotation = &matrix.roster.rotations["doctors"];
    // 19:00 in Chicago is 01:00 of the next day in UTC; by day it is Dr Mora's turn.
    let on_call = |at| rotation.on_call(Timestamp::parse(at).expect("a time")).map(PersonName::as_str);
    assert_eq!(on_call("2026-12-25T01:00:00Z"), Some("dr-naim"));
    assert_eq!(on_call("2026-12-25T14:00:00Z"), Some("dr-naim"), "the day turn would be the other doctor's");
    assert_eq!(on_call("2026-12-24T20:00:00Z"), Some("dr-mora"), "19:00 in UTC is not meant");
}

#[test]
fn the_revision_changes_with_any_text_and_with_nothing_else() {
    let files = folder("matrix");
    let mut changed = files.clone();
    changed[0].text.push_str("# a comment\n");
    let (one, other) = (sound(&files).revision, sound(&changed).revision);
    assert_eq!(one.len(), 12);
    assert_eq!(one, sound(&files).revision);
    assert_ne!(one, other);
}

#[test]
fn the_folder_of_drills_and_what_is_not_toml_are_not_read() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("drills")).expect("written");
    for (name, text) in
        [("b.toml", "b"), ("a.toml", "a"), ("notes.md", "x"), (".hidden.toml", "x"), ("drills/d.toml", "x")]
    {
        std::fs::write(folder.path().join(name), text).expect("written");
    }
    let texts: Vec<String> = read_folder(folder.path()).expect("read").into_iter().map(|file| file.text).collect();
    assert_eq!(texts, ["a", "b"]);
    std::fs::write(folder.path().join("c.toml"), b"name = \"\xff\"").expect("written");
    let error = read_folder(folder.path()).expect_err("not UTF-8").to_string();
    assert!(error.contains("c.toml") && error.contains("UTF-8"), "{error}");
}

/// A file that is lost on the way leaves a smaller matrix without any fault, in which nobody is paged.
#[test]
fn whatever_is_named_like_a_part_of_the_matrix_is_read_or_is_an_error() {
    let of = |make: &dyn Fn(&std::path::Path)| {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("a.toml"), "a").expect("written");
        make(&folder.path().join("b.toml"));
        let read = read_folder(folder.path());
        read.map(|files| files.len()).map_err(|error| error.to_string())
    };
    let link = |target: &'static str| {
        move |path: &std::path::Path| {
            std::os::unix::fs::symlink(target, path).expect("a link");
        }
    };
    assert_eq!(of(&link("a.toml")), Ok(2));
    assert_eq!(of(&|path| std::fs::write(path.with_extension("TOML"), "b").expect("written")), Ok(2));
    let pipe = |path: &std::path::Path| {
        rustix::fs::mkfifoat(rustix::fs::CWD, path, rustix::fs::Mode::RUSR).expect("a pipe");
    };
    let socket = |path: &std::path::Path| drop(std::os::unix::net::UnixListener::bind(path).expect("a socket"));
    let within = |name: &'static str| {
        move |path: &std::path::Path| {
            let folder = path.with_file_name(name);
            std::fs::create_dir_all(&folder).expect("a folder");
            std::fs::write(folder.join("b.toml"), "b").expect("written");
        }
    };
    let linked = |path: &std::path::Path| {
        within(".kept")(path);
        std::os::unix::fs::symlink(".kept", path.with_file_name("linked")).expect("a link");
    };
    assert_eq!(of(&within(".kept")), Ok(1));
    for (made, why) in [
        (of(&link("nothing/b.toml")), "leads to nothing"),
        (of(&link("b.toml")), "leads to nothing"),
        (of(&link("/dev/zero")), "a device"),
        (of(&pipe), "a pipe"),
        (of(&socket), "a socket"),
        (of(&|path| std::fs::create_dir(path).expect("a folder")), "a folder"),
        (of(&within("sub")), "files in a folder"),
        (of(&within("Drills")), "files in a folder"),
        (of(&within("prod/eu/site")), "files in a folder"),
        (of(&linked), "files in a folder"),
        (of(&|path| std::fs::write(path.with_extension("toml "), "b").expect("written")), "a blank behind"),
    ] {
        let error = made.expect_err(why);
        assert!(error.contains("b.toml") && error.contains(why), "{error}");
    }
}

/// What is made in a matrix's folder, by its path; and what is said of it.
fn said_of(make: impl Fn(&std::path::Path)) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("a.toml"), "a").expect("written");
    make(folder.path());
    unread(folder.path()).into_iter().map(|file| file.why).collect()
}

#[test]
fn whatever_looks_like_a_part_of_the_matrix_and_is_not_read_is_named() {
    let write = |name: &'static str| {
        move |folder: &std::path::Path| {
            let path = folder.join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, "[trigger.a]\non = [\"x\"]\n").expect("written");
        }
    };
    let link = |name: &'static str| {
        move |folder: &std::path::Path| {
            std::fs::create_dir_all(folder.join(name).parent().expect("a folder")).expect("a folder");
            std::os::unix::fs::symlink("nothing", folder.join(name)).expect("a link");
        }
    };
    let folder = |name: &'static str| {
        move |folder: &std::path::Path| std::fs::create_dir_all(folder.join(name)).expect("a folder")
    };
    for (name, why) in [
        ("b.toml.txt", "looks like a part"),
        ("b.toml.new", "looks like a part"),
        ("b.tml", "looks like a part"),
        ("b.yaml", "looks like a part"),
        ("b.t\u{43e}ml", "looks like a part"),
        ("drills/b.toml.txt", "looks like a part"),
        ("drills/b.toml", "has [trigger]"),
        ("drills/b.toml ", "a blank behind"),
        ("drills", "is no folder"),
        // Whatever its name, if it says so itself.
        ("prod", "has [trigger]"),
        ("b.conf", "has [trigger]"),
        ("notes.txt", "has [trigger]"),
        ("drills/b.conf", "has [trigger]"),
        ("prod/b.toml.txt", "looks like a part"),
        ("prod/b.yaml", "looks like a part"),
        ("prod/eu/site", "has [trigger]"),
        ("drills/eu/b.tml", "looks like a part"),
    ] {
        let said = said_of(write(name));
        let shown = name.replace('\u{43e}', "\\u{43e}");
        assert!(said.len() == 1 && said[0].contains(&shown) && said[0].contains(why), "{name}: {said:?}");
    }
    for name in ["people", "drills/b.toml", "drills"] {
        let said = said_of(link(name));
        assert!(said.len() == 1 && said[0].contains(name), "a link that leads nowhere, {name}: {said:?}");
    }
    // A link that leads to a part, or to a folder with one, and is not named like it.
    let elsewhere = tempfile::tempdir().expect("a folder");
    std::fs::write(elsewhere.path().join("c.toml"), "[hours]\n").expect("written");
    for (name, target) in [("prod", "c.toml"), ("prod/now", "c.toml"), ("drills/now", "c.toml"), ("prod/eu", ".")] {
        let said = said_of(|folder| {
            std::fs::create_dir_all(folder.join(name).parent().expect("a folder")).expect("a folder");
            std::os::unix::fs::symlink(elsewhere.path().join(target), folder.join(name)).expect("a link");
        });
        assert!(said.len() == 1 && said[0].contains(name) && said[0].contains("c.toml"), "{name}: {said:?}");
    }
    // One word for a folder, however much is in it; and a link to the folder that it is in is no way without an end.
    let said = said_of(|folder| {
        for name in ["prod/a.tml", "prod/b.tml", "prod/eu/c.tml"] {
            write(name)(folder);
        }
        std::os::unix::fs::symlink(".", folder.join("prod/again")).expect("a link");
    });
    assert!(said.len() == 1 && said[0].contains("prod/a.tml"), "{said:?}");
    let said = said_of(folder("drills/b.toml"));
    assert!(said.len() == 1 && said[0].contains("b.toml") && said[0].contains("a folder"), "{said:?}");
    // What editors leave, what is hidden on purpose, and what nobody takes for a part.
    for name in [".b.toml.swp", "b.toml~", "#b.toml#", ".kept/b.toml", "prod/.b.toml.swp", "prod/b.tml~"] {
        assert_eq!(said_of(write(name)), Vec::<String>::new(), "{name}");
    }
    let text = "# Our matrix\n\nThe triggers begin so:\n\n```toml\n[trigger.a]\n```\n";
    for name in ["README.md", "notes.txt", "drills/README.md", "prod/README.md", "LICENSE"] {
        let said = said_of(|folder| {
            std::fs::create_dir_all(folder.join(name).parent().expect("a folder")).expect("a folder");
            std::fs::write(folder.join(name), text).expect("written");
        });
        assert_eq!(said, Vec::<String>::new(), "{name}");
    }
    assert_eq!(said_of(|_| {}), Vec::<String>::new());
    assert_eq!(unread(std::path::Path::new("matrix")), [], "the matrix that ships");
}
