//! Batches of Arrow as batches of keys.

use std::sync::Arc;

use activation_core::sources::ArrowColumns;
use arrow_array::{
    Array, ArrayRef, BinaryArray, BinaryViewArray, Decimal128Array, DictionaryArray, Float64Array,
    Int8Array, Int32Array, Int64Array, LargeBinaryArray, LargeStringArray, NullArray, RecordBatch,
    StringArray, StringViewArray, UInt64Array, types::Int16Type,
};
use arrow_schema::DataType;
use proptest::{collection::vec, option, prelude::*};

type Texts = Vec<Option<String>>;

/// All layouts of text that are known.
fn layouts(texts: &Texts) -> Vec<ArrayRef> {
    let bytes = || texts.iter().map(|text| text.as_deref().map(str::as_bytes));
    let of_dictionary: DictionaryArray<Int16Type> = texts.iter().map(Option::as_deref).collect();
    vec![
        Arc::new(texts.iter().map(Option::as_deref).collect::<StringArray>()),
        Arc::new(texts.iter().map(Option::as_deref).collect::<LargeStringArray>()),
        Arc::new(texts.iter().map(Option::as_deref).collect::<StringViewArray>()),
        Arc::new(bytes().collect::<BinaryArray>()),
        Arc::new(bytes().collect::<LargeBinaryArray>()),
        Arc::new(bytes().collect::<BinaryViewArray>()),
        Arc::new(of_dictionary),
    ]
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, column)| (name, column, true)),
    )
    .unwrap()
}

/// Identifiers and keys as text.
fn rows(columns: &ArrowColumns, batch: &RecordBatch) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let keys = columns.keys(batch).unwrap();
    keys.rows().map(|row| (text(row.identifier), text(row.warehouse_key))).collect()
}

fn identifiers(column: ArrayRef) -> Vec<String> {
    let batch = batch(vec![("email", column)]);
    rows(&ArrowColumns::new(), &batch).into_iter().map(|(identifier, _)| identifier).collect()
}

fn complaint(columns: &ArrowColumns, batch: &RecordBatch) -> String {
    columns.keys(batch).unwrap_err().to_string()
}

proptest! {
    #[test]
    fn every_layout_of_text_gives_what_was_put_into_it(
        rows in vec((option::of(".{0,20}"), option::of(any::<i64>())), 0..40),
        cut in any::<prop::sample::Index>(),
    ) {
        let (texts, ids): (Texts, Vec<Option<i64>>) = rows.into_iter().unzip();
        // A part of a larger batch, as filters and limits leave them.
        let start = cut.index(texts.len() + 1);
        let expected: Vec<(String, String)> = texts[start..]
            .iter()
            .zip(&ids[start..])
            .map(|(text, id)| (
                text.clone().unwrap_or_default(),
                id.map(|id| id.to_string()).unwrap_or_default(),
            ))
            .collect();
        let columns = ArrowColumns::new().key_column("id");
        for layout in layouts(&texts) {
            let ids: ArrayRef = Arc::new(Int64Array::from(ids.clone()));
            let whole = batch(vec![("id", ids), ("email", layout)]);
            let part = whole.slice(start, texts.len() - start);
            prop_assert_eq!(self::rows(&columns, &part), expected.clone());
        }
    }
}

#[test]
fn whole_numbers_of_every_width_are_identifiers() {
    let none = String::new();
    let found = identifiers(Arc::new(Int8Array::from(vec![Some(-1), None, Some(7)])));
    assert_eq!(found, ["-1".to_owned(), none.clone(), "7".to_owned()]);
    let found = identifiers(Arc::new(UInt64Array::from(vec![u64::MAX])));
    assert_eq!(found, [u64::MAX.to_string()]);
    let decimals = Decimal128Array::from(vec![Some(17), None, Some(10_i128.pow(37))]);
    let found = identifiers(Arc::new(decimals.with_precision_and_scale(38, 0).unwrap()));
    assert_eq!(found, ["17".to_owned(), none, format!("1{}", "0".repeat(37))]);
}

#[test]
fn a_dictionary_may_have_null_as_a_value_and_no_values_at_all() {
    let values: ArrayRef = Arc::new(StringArray::from(vec![Some("ann@example.com"), None]));
    let keys = Int32Array::from(vec![Some(1), Some(0), None]);
    let found = identifiers(Arc::new(DictionaryArray::new(keys, values)));
    assert_eq!(found, ["", "ann@example.com", ""]);
    let empty: ArrayRef = Arc::new(StringArray::from(Vec::<&str>::new()));
    let keys = Int32Array::from(vec![None, None]);
    assert_eq!(identifiers(Arc::new(DictionaryArray::new(keys, empty))), ["", ""]);
}

#[test]
fn a_column_of_nothing_has_unusable_rows_only() {
    assert_eq!(identifiers(Arc::new(NullArray::new(2))), ["", ""]);
}

#[test]
fn other_types_are_refused_by_column_and_type_before_there_is_a_row() {
    let emails: ArrayRef = Arc::new(StringArray::from(vec!["ann@example.com"]));
    let scores: ArrayRef = Arc::new(Float64Array::from(vec![0.5]));
    let batch = batch(vec![("email", emails), ("score", scores)]);
    let expected = "the batch gives Float64 in column \"score\"; cast it to text if it is an \
        identifier";
    for columns in [ArrowColumns::new().column("score"), ArrowColumns::new().key_column("score")] {
        assert_eq!(complaint(&columns, &batch), expected);
        assert_eq!(columns.check(batch.schema_ref()).unwrap_err().to_string(), expected);
        assert!(columns.keys(&batch.slice(0, 0)).is_err());
    }
    assert!(ArrowColumns::new().column("email").check(batch.schema_ref()).is_ok());
}

#[test]
fn decimals_with_places_are_no_identifiers() {
    let prices = Decimal128Array::from(vec![150]).with_precision_and_scale(10, 2).unwrap();
    assert_eq!(prices.data_type(), &DataType::Decimal128(10, 2));
    let told = complaint(&ArrowColumns::new(), &batch(vec![("price", Arc::new(prices))]));
    assert!(told.contains("Decimal128(10, 2) in column \"price\""), "{told}");
}

#[test]
fn bytes_that_are_no_text_are_an_error_with_the_row() {
    let hashes: ArrayRef = Arc::new(BinaryArray::from(vec![&b"ann"[..], b"\xff\xfe"]));
    let told = complaint(&ArrowColumns::new(), &batch(vec![("hash", hashes)]));
    let expected = "the batch gives bytes that are not UTF-8 in column \"hash\", row 2 of a batch";
    assert_eq!(told, expected);
}

#[test]
fn columns_are_found_as_in_any_other_result() {
    let texts = |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text])) };
    let batch = batch(vec![("a", texts("1")), ("b", texts("2")), ("c", texts("3"))]);
    let told = complaint(&ArrowColumns::new(), &batch);
    assert!(told.starts_with("the batch gives 3 columns; name the one"), "{told}");
    let told = complaint(&ArrowColumns::new().column("d"), &batch);
    assert_eq!(told, r#"the batch has no column "d"; it has "a", "b", "c""#);
    let columns = ArrowColumns::new().column("c").key_column("a");
    assert_eq!(rows(&columns, &batch), [("3".to_owned(), "1".to_owned())]);
}
