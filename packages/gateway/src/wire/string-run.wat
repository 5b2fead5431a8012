;; Passes the inside of a JSON string, 64 bytes at once: the native code behind string-run.ts.
;; `node --conditions=hedgerow-source scripts/build-string-run.ts` assembles it into string-run-code.ts.
(module
  ;; Two pages: a piece of 64 KiB, and what the last block reads behind its end.
  (memory (export "memory") 2)

  ;; Of the 64 bytes at $at a bit for each that is $byte, the first byte's lowest.
  (func $where (param $at i32) (param $byte v128) (result i64)
    (i64.or
      (i64.or
        (i64.extend_i32_u
          (i8x16.bitmask (i8x16.eq (v128.load (local.get $at)) (local.get $byte))))
        (i64.shl
          (i64.extend_i32_u
            (i8x16.bitmask (i8x16.eq (v128.load offset=16 (local.get $at)) (local.get $byte))))
          (i64.const 16)))
      (i64.or
        (i64.shl
          (i64.extend_i32_u
            (i8x16.bitmask (i8x16.eq (v128.load offset=32 (local.get $at)) (local.get $byte))))
          (i64.const 32))
        (i64.shl
          (i64.extend_i32_u
            (i8x16.bitmask (i8x16.eq (v128.load offset=48 (local.get $at)) (local.get $byte))))
          (i64.const 48)))))

  ;; From a place that no backslash escapes to the closing quote, or to the first such place at or behind $until.
  (func (export "pass") (param $at i32) (param $until i32) (result i32)
    (local $width i32)
    (local $within i64)
    (local $quotes i64)
    (local $backslashes i64)
    (local $ends i64)
    ;; 1 where the block's first byte is escaped by the last of the block before.
    (local $carry i64)
    (loop $block
      (if (i32.ge_u (local.get $at) (local.get $until))
        (then (return (i32.add (local.get $until) (i32.wrap_i64 (local.get $carry))))))
      (local.set $width (i32.const 64))
      (local.set $within (i64.const -1))
      (if (i32.lt_u (i32.sub (local.get $until) (local.get $at)) (i32.const 64))
        (then
          (local.set $width (i32.sub (local.get $until) (local.get $at)))
          (local.set $within
            (i64.sub (i64.shl (i64.const 1) (i64.extend_i32_u (local.get $width))) (i64.const 1)))))
      (local.set $quotes
        (i64.and (local.get $within) (call $where (local.get $at) (i8x16.splat (i32.const 0x22)))))
      (local.set $backslashes
        (i64.and (local.get $within) (call $where (local.get $at) (i8x16.splat (i32.const 0x5c)))))

      ;; In a run of backslashes each second one is escaped, and what stands behind an odd run. A subtraction borrows
      ;; along each run from its first bit; on odd bits of it the outcome is known by place alone. After simdjson's
      ;; json_escape_scanner (Langdale and Lemire, Parsing Gigabytes of JSON per Second, 2019, section 3.1.1).
      (local.set $ends (i64.and (local.get $backslashes) (i64.xor (local.get $carry) (i64.const -1))))
      (local.set $ends
        (i64.xor
          (i64.sub
            (i64.or (i64.shl (local.get $ends) (i64.const 1)) (i64.const 0xaaaaaaaaaaaaaaaa))
            (local.get $ends))
          (i64.const 0xaaaaaaaaaaaaaaaa)))
      (local.set $quotes
        (i64.and
          (local.get $quotes)
          (i64.xor
            (i64.xor (local.get $ends) (i64.or (local.get $backslashes) (local.get $carry)))
            (i64.const -1))))
      (if (i64.ne (local.get $quotes) (i64.const 0))
        (then (return (i32.add (local.get $at) (i32.wrap_i64 (i64.ctz (local.get $quotes)))))))

      (local.set $carry
        (i64.and
          (i64.shr_u
            (i64.and (local.get $ends) (local.get $backslashes))
            (i64.extend_i32_u (i32.sub (local.get $width) (i32.const 1))))
          (i64.const 1)))
      (local.set $at (i32.add (local.get $at) (i32.const 64)))
      (br $block))
    unreachable))
