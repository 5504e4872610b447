//! The description of the API: every route stands in it, everything in it is answered, and its examples are taken.

use super::*;

fn document() -> Value {
    serde_json::from_str(include_str!("../http/openapi.json")).unwrap()
}

/// What a reference points to; anything else is itself.
fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(reference) => document
            .pointer(reference.trim_start_matches('#'))
            .unwrap_or_else(|| panic!("nothing is at {reference}")),
        None => value,
    }
}

#[test]
fn every_route_is_described() {
    // The routes as they are written.
    let source: String = include_str!("../http.rs").split_whitespace().collect();
    let mut written = Vec::new();
    for route in source.split(".route(\"").skip(1) {
        let (path, handlers) = route.split_once('"').unwrap();
        for method in ["get", "post"] {
            if handlers.contains(&format!(",{method}("))
                || handlers.contains(&format!(").{method}("))
            {
                written.push(format!("{method} {path}"));
            }
        }
    }
    let document = document();
    let mut described = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            if method != "parameters" {
                described.push(format!("{method} {path}"));
            }
        }
    }
    // Pages for people are no part of the API.
    let page = |route: &String| {
        let path = route.split_once(' ').unwrap().1;
        path == "/"
            || ["/dashboard/", "/login", "/logout", "/assets/"]
                .iter()
                .any(|start| path.starts_with(start))
    };
    written.retain(|route| !page(route));
    written.sort();
    described.sort();
    assert!(written.len() > 10, "{written:?}");
    assert_eq!(written, described);
}

#[test]
fn every_reference_leads_somewhere() {
    fn walk(document: &Value, value: &Value) {
        match value {
            Value::Object(fields) => {
                resolve(document, value);
                fields.values().for_each(|value| walk(document, value));
            }
            Value::Array(items) => items.iter().for_each(|value| walk(document, value)),
            _ => {}
        }
    }
    let document = document();
    walk(&document, &document);
}

#[tokio::test]
async fn what_is_described_is_answered_and_its_examples_are_taken() {
    use tierwise_envs::tier::Tier;
    let bench = Bench::new().await;
    for (id, tier) in [("rule", Tier::Auto), ("q", Tier::Review)] {
        register(&*bench.service.store, &fixed(id, tier)).await;
    }
    bench.start(json!({})).await;
    let document = document();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in ["get", "post"] {
            let operation = &item[method];
            if operation.is_null() {
                continue;
            }
            let mut uri = path.clone();
            for parameters in [&item["parameters"], &operation["parameters"]] {
                for parameter in parameters.as_array().into_iter().flatten() {
                    let parameter = resolve(&document, parameter);
                    if parameter["in"] == "path" {
                        let name = format!("{{{}}}", parameter["name"].as_str().unwrap());
                        uri = uri.replace(&name, parameter["example"].as_str().unwrap());
                    }
                }
            }
            let body = resolve(&document, &operation["requestBody"]);
            let example = &body["content"]["application/json"]["example"];
            let request = Request::builder()
                .method(method.to_uppercase().as_str())
                .uri(&uri)
                .body(match example.is_null() {
                    true => Body::empty(),
                    false => Body::from(example.to_string()),
                })
                .unwrap();
            let response = bench.app.clone().oneshot(request).await.unwrap();
            let status = response.status();
            assert!(status.is_success(), "{method} {uri}: {status}");
            let described = &operation["responses"][status.as_str()];
            assert!(
                !described.is_null(),
                "{method} {uri}: {status} is not described"
            );
            let kind = response.headers()["content-type"].to_str().unwrap();
            let kind = kind.split(';').next().unwrap();
            let described = resolve(&document, described);
            assert!(
                !described["content"][kind].is_null(),
                "{method} {uri}: {kind}"
            );
        }
    }
}
