//! How errors read: where, what, and the way out.

use crate::desk::Desk;

#[test]
fn errors_say_where_what_and_how_to_fix_it() {
    let desk = Desk::with_version();
    let bad = "name = \"bad\"\n[learner]\ndiscount = 1.2\n";
    desk.write("range.toml", bad);
    desk.write("type.toml", bad.replace("1.2", "\"high\""));
    desk.write("key.toml", bad.replace("discount", "discont"));
    desk.write("shop-range.toml", "days = 2\n\n[load]\nhumans = 0.5\n");
    desk.write("empty.jsonl", "");
    desk.write(
        "broken.jsonl",
        "{\"schema_version\": 1, \"conversation_id\": \"a\", \"chan\n",
    );
    desk.write("process.json", "{\"gamma\": 2.0, \"n_states\": 1}");
    desk.write(
        "policy.json",
        "{\"tierwise_policy\": 9, \"content_hash\": \"\"}\n{}\n",
    );
    std::fs::create_dir(desk.path("folder")).unwrap();
    let texts: Vec<String> = [
        "train range.toml --log log.jsonl --out new",
        "train type.toml --log log.jsonl --out new",
        "train key.toml --log log.jsonl --out new",
        "train train.toml --out new",
        "train train.toml --log empty.jsonl --out new",
        "train train.toml --log broken.jsonl --out new",
        "train train.toml --log missing.jsonl --out new",
        "train train.toml --log log.jsonl --out range.toml",
        "evaluate --log log.jsonl --policy folder",
        "evaluate --log log.jsonl --policy policy.json",
        "evaluate --log log.jsonl --policy run --level 2",
        "log generate shop-range.toml --out new.jsonl",
        "log generate shop.toml --out new.txt",
        "log generate shop.toml --out new.jsonl --explore 2",
        "import csv log.jsonl --out new.jsonl",
        "import jsonl empty.jsonl --out new.jsonl",
        "import jsonl broken.jsonl --out new.jsonl",
        "import jsonl folder --out new.jsonl",
        "import star folder --out new.jsonl",
        "sweep train.toml --log log.jsonl --out new",
        "report folder",
        "--threads 0 report run",
    ]
    .iter()
    .map(|arguments| format!("$ tierwise {arguments}\n{}\n", desk.refused(arguments)))
    .collect();
    insta::assert_snapshot!(texts.join("\n"));
}
