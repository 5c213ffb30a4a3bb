use std::collections::HashMap;

use super::*;

fn segments(dir: &Path) -> usize {
    std::fs::read_dir(dir).unwrap().count()
}

#[test]
fn chains_come_back_whole_and_in_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut chains = ChainFile::new(folder.path()).unwrap();
    let mut heads: HashMap<usize, u64> = HashMap::new();
    let record =
        |chain: usize, round: usize| format!("{chain} {round} ").repeat(1 + round * chain % 90);
    for round in 0..5 {
        for chain in 0..5_000 {
            let text = record(chain, round);
            let last = chains
                .append(heads.get(&chain).copied(), text.as_bytes())
                .unwrap();
            heads.insert(chain, last);
        }
    }
    assert!(chains.disk_bytes() > 0);
    for chain in 0..5_000 {
        let taken = chains.take(heads[&chain]).unwrap();
        let expected: Vec<_> = (0..5)
            .map(|round| record(chain, round).into_bytes())
            .collect();
        assert_eq!(taken, expected, "{chain}");
    }
    drop(chains);
    assert_eq!(segments(folder.path()), 0);
}

#[test]
fn a_segment_goes_when_its_last_record_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let mut chains = ChainFile::new(folder.path()).unwrap();
    let large = vec![7; MAX_RECORD_BYTES];
    let heads: Vec<u64> = (0..2_200)
        .map(|_| chains.append(None, &large).unwrap())
        .collect();
    assert_eq!(segments(folder.path()), 3);
    assert!(chains.append(None, &vec![7; MAX_RECORD_BYTES + 1]).is_err());
    for head in heads.iter().take(1_100) {
        chains.take(*head).unwrap();
    }
    assert_eq!(segments(folder.path()), 2, "the first one is gone");
    assert!(chains.take(heads[0]).is_err(), "taken before");
}

#[test]
fn damage_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut chains = ChainFile::new(folder.path()).unwrap();
    let heads: Vec<u64> = (0..10_000)
        .map(|number: u32| {
            chains
                .append(None, &number.to_le_bytes().repeat(20))
                .unwrap()
        })
        .collect();
    let path = folder.path().join(name(1));
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[HEADER_BYTES + 3] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let error = chains.take(heads[0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(chains.take(heads[1]).is_ok());
}
