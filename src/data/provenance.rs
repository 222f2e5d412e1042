//! Where the data that ship with the program come from, and on what terms.

/// Licence and citation of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Provenance {
    /// The data's own licence, which is not that of the program.
    pub licence: &'static str,
    /// What to cite.
    pub citation: &'static str,
}

/// The licence and citation of the real data set of this built-in name; `None`
/// for generated problems and files.
pub fn provenance(name: &str) -> Option<Provenance> {
    let (licence, citation) = match name {
        "digits" => (
            "CC BY 4.0",
            "E. Alpaydin, C. Kaynak (1998). Optical Recognition of Handwritten Digits. \
             UCI Machine Learning Repository. doi:10.24432/C50P49",
        ),
        "iris" => (
            "CC BY 4.0",
            "R. A. Fisher (1936). The use of multiple measurements in taxonomic problems. \
             Annals of Eugenics 7, 179-188. doi:10.24432/C56C76",
        ),
        "wine" => (
            "CC BY 4.0",
            "S. Aeberhard, M. Forina (1992). Wine. UCI Machine Learning Repository. doi:10.24432/C5PC7J",
        ),
        "breast-cancer" => (
            "CC BY 4.0",
            "W. Wolberg, O. Mangasarian, N. Street, W. Street (1995). Breast Cancer Wisconsin \
             (Diagnostic). UCI Machine Learning Repository. doi:10.24432/C5DW2B",
        ),
        "mnist" => (
            "CC BY-SA 3.0",
            "Y. LeCun, L. Bottou, Y. Bengio, P. Haffner (1998). Gradient-based learning applied to \
             document recognition. Proceedings of the IEEE 86, 2278-2324",
        ),
        "fashion-mnist" => (
            "MIT",
            "H. Xiao, K. Rasul, R. Vollgraf (2017). Fashion-MNIST: a novel image dataset for \
             benchmarking machine learning algorithms. arXiv:1708.07747",
        ),
        _ => return None,
    };
    Some(Provenance { licence, citation })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{SourceKind, sources};

    #[test]
    fn every_real_source_and_no_generated_one_has_a_licence() {
        for source in sources() {
            let real = source.kind != SourceKind::Generated;
            assert_eq!(provenance(source.name).is_some(), real, "{}", source.name);
        }
    }
}
