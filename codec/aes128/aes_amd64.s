//go:build !purego

#include "textflag.h"

// The last word of a round key, rotated by a byte, four times (FIPS 197 §5.2: RotWord).
DATA rotate<>+0(SB)/8, $0x0c0f0e0d0c0f0e0d
DATA rotate<>+8(SB)/8, $0x0c0f0e0d0c0f0e0d
GLOBL rotate<>(SB), RODATA|NOPTR, $16

// Rcon of the first round and of the ninth; those between are twice the one before.
DATA rcon<>+0(SB)/8, $0x0000000100000001
DATA rcon<>+8(SB)/8, $0x0000000100000001
DATA rcon<>+16(SB)/8, $0x0000001b0000001b
DATA rcon<>+24(SB)/8, $0x0000001b0000001b
GLOBL rcon<>(SB), RODATA|NOPTR, $32

// NEXT makes the next round key of X0. With four equal columns ShiftRows changes nothing, so AESENCLAST is SubWord and the XOR with Rcon.
// Each word is the XOR of all up to it of the key before, and of that.
#define NEXT(at) \
	MOVO       X0, X1    \
	PSHUFB     X5, X1    \
	AESENCLAST X4, X1    \
	MOVO       X0, X2    \
	PSLLDQ     $4, X2    \
	PXOR       X2, X0    \
	PSLLDQ     $4, X2    \
	PXOR       X2, X0    \
	PSLLDQ     $4, X2    \
	PXOR       X2, X0    \
	PXOR       X1, X0    \
	MOVOU      X0, at(BX)

// func expand(key *[16]byte, schedule *[176]byte)
TEXT ·expand(SB), NOSPLIT, $0-16
	MOVQ  key+0(FP), AX
	MOVQ  schedule+8(FP), BX
	MOVOU (AX), X0
	MOVOU rotate<>(SB), X5
	MOVOU rcon<>(SB), X4
	MOVOU X0, (BX)
	NEXT(16)
	PSLLL $1, X4
	NEXT(32)
	PSLLL $1, X4
	NEXT(48)
	PSLLL $1, X4
	NEXT(64)
	PSLLL $1, X4
	NEXT(80)
	PSLLL $1, X4
	NEXT(96)
	PSLLL $1, X4
	NEXT(112)
	PSLLL $1, X4
	NEXT(128)
	MOVOU rcon<>+16(SB), X4
	NEXT(144)
	PSLLL $1, X4
	NEXT(160)
	RET

#define LOADKEYS \
	MOVOU (AX), X4     \
	MOVOU 16(AX), X5   \
	MOVOU 32(AX), X6   \
	MOVOU 48(AX), X7   \
	MOVOU 64(AX), X8   \
	MOVOU 80(AX), X9   \
	MOVOU 96(AX), X10  \
	MOVOU 112(AX), X11 \
	MOVOU 128(AX), X12 \
	MOVOU 144(AX), X13 \
	MOVOU 160(AX), X14

#define ROUNDS \
	PXOR       X4, X0  \
	AESENC     X5, X0  \
	AESENC     X6, X0  \
	AESENC     X7, X0  \
	AESENC     X8, X0  \
	AESENC     X9, X0  \
	AESENC     X10, X0 \
	AESENC     X11, X0 \
	AESENC     X12, X0 \
	AESENC     X13, X0 \
	AESENCLAST X14, X0

// func encrypt(schedule *[176]byte, blocks *byte, n int)
TEXT ·encrypt(SB), NOSPLIT, $0-24
	MOVQ schedule+0(FP), AX
	MOVQ blocks+8(FP), SI
	MOVQ n+16(FP), CX
	LOADKEYS

each:
	MOVOU (SI), X0
	ROUNDS
	MOVOU X0, (SI)
	ADDQ  $16, SI
	DECQ  CX
	JNZ   each
	RET

// func chain(schedule *[176]byte, mac *[16]byte, blocks *byte, n int)
TEXT ·chain(SB), NOSPLIT, $0-32
	MOVQ  schedule+0(FP), AX
	MOVQ  mac+8(FP), DI
	MOVQ  blocks+16(FP), SI
	MOVQ  n+24(FP), CX
	LOADKEYS
	MOVOU (DI), X0

each:
	MOVOU (SI), X1
	PXOR  X1, X0
	ROUNDS
	ADDQ  $16, SI
	DECQ  CX
	JNZ   each
	MOVOU X0, (DI)
	RET

// func hasAES() bool
TEXT ·hasAES(SB), NOSPLIT, $0-1
	MOVL  $1, AX
	XORL  CX, CX
	CPUID
	SHRL  $9, CX             // bit 9: SSSE3, bit 25: AES
	ANDL  $0x10001, CX
	CMPL  CX, $0x10001
	SETEQ ret+0(FP)
	RET
