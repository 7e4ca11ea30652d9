;; Updates of vectors in place, four numbers at a time; `kernels.ts` says what each computes. Addresses are in bytes and multiples of 16; `n` numbers are changed, and
;; up to three behind them, which must be there. `kernel-bytes.ts` holds what this file is compiled to: `node packages/optim/src/kernels/compile.js` writes it.
(module
  (memory (import "host" "memory") 1)

  (func (export "sgd") (param $p i32) (param $g i32) (param $n i32) (param $scale f32) (param $decay f32) (param $rate f32)
    (local $end i32)
    (local $P v128)
    (local.set $end (i32.add (local.get $p) (i32.shl (local.get $n) (i32.const 2))))
    (loop $next
      (local.set $P (v128.load (local.get $p)))
      (v128.store (local.get $p)
        (f32x4.add (local.get $P)
          (f32x4.mul (f32x4.splat (local.get $rate))
            (f32x4.add
              (f32x4.mul (v128.load (local.get $g)) (f32x4.splat (local.get $scale)))
              (f32x4.mul (local.get $P) (f32x4.splat (local.get $decay)))))))
      (local.set $p (i32.add (local.get $p) (i32.const 16)))
      (local.set $g (i32.add (local.get $g) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $p) (local.get $end)))))

  (func (export "momentum") (param $p i32) (param $g i32) (param $n i32) (param $scale f32) (param $decay f32) (param $rate f32)
    (param $b i32) (param $momentum f32)
    (local $end i32)
    (local $P v128)
    (local $B v128)
    (local.set $end (i32.add (local.get $p) (i32.shl (local.get $n) (i32.const 2))))
    (loop $next
      (local.set $P (v128.load (local.get $p)))
      (local.set $B
        (f32x4.add
          (f32x4.mul (v128.load (local.get $b)) (f32x4.splat (local.get $momentum)))
          (f32x4.add
            (f32x4.mul (v128.load (local.get $g)) (f32x4.splat (local.get $scale)))
            (f32x4.mul (local.get $P) (f32x4.splat (local.get $decay))))))
      (v128.store (local.get $b) (local.get $B))
      (v128.store (local.get $p)
        (f32x4.add (local.get $P) (f32x4.mul (f32x4.splat (local.get $rate)) (local.get $B))))
      (local.set $p (i32.add (local.get $p) (i32.const 16)))
      (local.set $g (i32.add (local.get $g) (i32.const 16)))
      (local.set $b (i32.add (local.get $b) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $p) (local.get $end)))))

  (func (export "adam") (param $p i32) (param $g i32) (param $n i32) (param $scale f32) (param $decay f32) (param $rate f32)
    (param $m i32) (param $v i32) (param $beta1 f32) (param $beta2 f32) (param $epsilon f32) (param $keep f32)
    (local $end i32)
    (local $P v128)
    (local $G v128)
    (local $M v128)
    (local $V v128)
    (local.set $end (i32.add (local.get $p) (i32.shl (local.get $n) (i32.const 2))))
    (loop $next
      (local.set $P (v128.load (local.get $p)))
      (local.set $G (f32x4.add
          (f32x4.mul (v128.load (local.get $g)) (f32x4.splat (local.get $scale)))
          (f32x4.mul (local.get $P) (f32x4.splat (local.get $decay)))))
      (local.set $M (f32x4.add (f32x4.mul (v128.load (local.get $m)) (f32x4.splat (local.get $beta1))) (local.get $G)))
      (local.set $V
        (f32x4.add
          (f32x4.mul (v128.load (local.get $v)) (f32x4.splat (local.get $beta2)))
          (f32x4.mul (local.get $G) (local.get $G))))
      (v128.store (local.get $m) (local.get $M))
      (v128.store (local.get $v) (local.get $V))
      (v128.store (local.get $p)
        (f32x4.add
          (f32x4.mul (local.get $P) (f32x4.splat (local.get $keep)))
          (f32x4.mul (f32x4.splat (local.get $rate))
            (f32x4.div (local.get $M) (f32x4.add (f32x4.sqrt (local.get $V)) (f32x4.splat (local.get $epsilon)))))))
      (local.set $p (i32.add (local.get $p) (i32.const 16)))
      (local.set $g (i32.add (local.get $g) (i32.const 16)))
      (local.set $m (i32.add (local.get $m) (i32.const 16)))
      (local.set $v (i32.add (local.get $v) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $p) (local.get $end)))))

  ;; in float64, the even and the odd numbers apart
  (func (export "sumOfSquares") (param $g i32) (param $n i32) (result f64)
    (local $end i32)
    (local $G v128)
    (local $low v128)
    (local $high v128)
    (local $even v128)
    (local $odd v128)
    (local.set $end (i32.add (local.get $g) (i32.shl (local.get $n) (i32.const 2))))
    (loop $next
      (local.set $G (v128.load (local.get $g)))
      (local.set $low (f64x2.promote_low_f32x4 (local.get $G)))
      (local.set $high (f64x2.promote_low_f32x4 (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $G) (local.get $G))))
      (local.set $even (f64x2.add (local.get $even) (f64x2.mul (local.get $low) (local.get $low))))
      (local.set $odd (f64x2.add (local.get $odd) (f64x2.mul (local.get $high) (local.get $high))))
      (local.set $g (i32.add (local.get $g) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $g) (local.get $end))))
    (local.set $even (f64x2.add (local.get $even) (local.get $odd)))
    (f64.add (f64x2.extract_lane 0 (local.get $even)) (f64x2.extract_lane 1 (local.get $even)))))
