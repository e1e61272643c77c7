//! The page behind an answer link.

#[test]
fn the_answer_page_begins_with_its_word_and_escapes_what_it_shows() {
    let page = include_str!("../../../src/http/desk/assets/answer.html");
    let mut env = minijinja::Environment::new();
    env.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
    env.add_template("answer.html", page).expect("a template");
    env.add_template("head.html", include_str!("../../../src/http/desk/assets/head.html")).expect("a template");
    let render_as = |drill: bool, notice: Option<&str>, done: bool, hand_back: bool| {
        let offers: Vec<_> =
            [("wilco", "I have it", true), ("roger", "Received", false), ("unable", "I can not", false)]
                .map(|(answer, label, primary)| minijinja::context! { answer, label, primary })
                .into();
        let (id, what, ask, otherwise) =
            ("INC-12", "<b>ES</b> down", (!done).then_some("TRADER: press \"I have it\" by 14:46 EDT."), None::<&str>);
        let body = "Market: ES\n<script>alert(1)</script>";
        let context = minijinja::context! { drill, id, what, ask, otherwise, body, offers, notice, done, hand_back, pressed => false };
        env.get_template("answer.html").and_then(|page| page.render(context)).expect("a page")
    };
    let render = |drill: bool, notice: Option<&str>, done: bool| render_as(drill, notice, done, false);
    for (drill, word) in [(true, "DRILL"), (false, "LIVE")] {
        let html = render(drill, None, false);
        assert!(html.contains(&format!("<title>{word}: answer</title>")) && !html.contains("<script"), "{html}");
        assert!(html.contains(&format!("<p class=\"band\">{word} INC-12</p>")) && html.matches("<button").count() == 3);
        assert!(
            html.contains("method=\"post\"") && !html.contains("<input"),
            "the address says which page it is: {html}"
        );
    }
    let done = render(false, Some("You have it."), true);
    assert!(done.contains("You have it.") && !done.contains("<form"), "{done}");
    let held = render_as(false, Some("You have it since 18:45:38 UTC."), true, true);
    // What pages others takes a second press: its button is not seen before the first.
    let (before, after) = held.split_once("<summary>Hand it back</summary>").expect("a first press");
    assert!(!before.contains("<button") && after.matches("<button").count() == 1, "{held}");
    assert!(after.contains("name=\"answer\" value=\"unable\"") && !held.contains("value=\"wilco\""), "{held}");
    insta::assert_snapshot!(render(true, Some("Too late: <Bo>"), false));
}
