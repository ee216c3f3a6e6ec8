use super::*;

fn people(text: &str) -> People {
    People::of(text).unwrap()
}

#[test]
fn numbers_stay_numbers_and_words_become_regressors() {
    let people = people("subject, age, hand\n1, 31, left\n2, 40.5, right\n3, NA, both\n4,,n/a\n");
    let x = |columns: &[usize]| -> Vec<(u32, Vec<f64>)> {
        let known = people.regressors("any", &[1, 2, 3, 4, 9], columns);
        known.into_iter().map(|known| (known.subject, known.x)).collect()
    };
    assert_eq!(people.columns, ["age", "hand"]);
    assert_eq!(x(&[0]), [(1, vec![31.0]), (2, vec![40.5])]);
    // `both` is the first in the order of words, and has no regressor of its own.
    let hands = [(1, vec![1.0, 0.0]), (2, vec![0.0, 1.0]), (3, vec![0.0, 0.0])];
    assert_eq!(x(&[1]), hands);
    assert_eq!(x(&[0, 1]), [(1, vec![31.0, 0.0]), (2, vec![40.5, 1.0])]);
}

#[test]
fn a_dataset_that_is_named_has_its_own_subjects() {
    let people = people("dataset,subject,age\na,1,20\nb,1,30\n");
    assert_eq!(people.value("a", 1, 0), Some("20"));
    assert_eq!(people.value("b", 1, 0), Some("30"));
    assert_eq!(people.value("c", 1, 0), None);
}

#[test]
fn a_table_that_is_none_says_where() {
    for (text, expected) in [
        ("age\n3\n", "there is no column `subject`"),
        ("subject\n3\n", "no column beside"),
        ("subject,age\nS3,1\n", "line 2: `subject` is a number, not S3"),
        ("subject,age\n3,1\n3,2\n", "line 3: subject 3 is there twice"),
        ("subject,age,age\n3,1,2\n", "two columns are called age"),
        ("subject,age\n3,1,2\n", "record 1"),
        ("subject,age\n3,1\n4,old\n", "line 3: old stands in the column age"),
    ] {
        let error = format!("{:#}", People::of(text).unwrap_err());
        assert!(error.contains(expected), "{text:?}: {error}");
    }
}

#[test]
fn what_is_known_of_people_is_held_against_their_scores() {
    let scores: Vec<(u32, f64)> = (1..=8).map(|s| (s, f64::from(s) / 10.0)).collect();
    let rows: Vec<_> = (1..=8).map(|s| format!("{s},{},{}", 20 + s, s % 2)).collect();
    let people = people(&format!("subject,age,odd\n{}\n", rows.join("\n")));
    let (n, age) = of_people(&people, ("any", &[0]), &scores, 999);
    let age = age.unwrap();
    assert_eq!((n, age.p), (8, 0.001));
    assert!((age.r_squared - 1.0).abs() < 1e-12);
    let (_, odd) = of_people(&people, ("any", &[1]), &scores, 999);
    assert!(odd.unwrap().p > 0.3);
    // Four are too few for anything, and of people who are all alike nothing is said.
    assert_eq!(of_people(&people, ("any", &[0]), &scores[..4], 999), (4, None));
    let alike = People::of("subject,age\n1,5\n2,5\n3,5\n4,5\n5,5\n").unwrap();
    assert_eq!(of_people(&alike, ("any", &[0]), &scores, 999), (5, None));
}
