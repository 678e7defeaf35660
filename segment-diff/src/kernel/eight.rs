/// Work that looks for values among eight at a time.
pub(crate) trait EightMatcher {
    type Output;

    /// Does the work. `eight` says which of eight values are the one that is looked for: a bit for
    /// each. Always to be a part of its caller, whose target features it is to make use of.
    fn run(self, eight: impl Fn(&[u64; 8], u64) -> u8) -> Self::Output;
}

/// Does the work in the fastest way that the machine has.
pub(crate) fn match_eight<M: EightMatcher>(work: M) -> M::Output {
    #[cfg(target_arch = "x86_64")]
    {
        super::detected::match_eight(work)
    }
    #[cfg(not(target_arch = "x86_64"))]
    work.run(eight)
}

/// The form for every processor.
#[inline(always)]
pub(crate) fn eight(values: &[u64; 8], value: u64) -> u8 {
    (0..8).fold(0, |same, index| same | u8::from(values[index] == value) << index)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    struct Find([u64; 8], u64);

    impl EightMatcher for Find {
        type Output = u8;

        #[inline(always)]
        fn run(self, eight: impl Fn(&[u64; 8], u64) -> u8) -> u8 {
            eight(&self.0, self.1)
        }
    }

    proptest! {
        #[test]
        fn every_form_marks_the_same_values(values: [u64; 8], sample: prop::sample::Index, copy: prop::sample::Index) {
            let mut values = values;
            let value = values[sample.index(8)];
            values[copy.index(8)] = value;
            let expected = (0..8).filter(|index| values[*index] == value).fold(0, |bits, index| bits | 1 << index);
            prop_assert_eq!(eight(&values, value), expected);
            prop_assert_eq!(match_eight(Find(values, value)), expected);
            #[cfg(target_arch = "x86_64")]
            if let Ok(found) = crate::kernel::detected::match_eight_avx2(Find(values, value)) {
                prop_assert_eq!(found, expected);
            }
        }
    }
}
